"""The bases of all screens and pages, from charts and tables to whole lists."""
