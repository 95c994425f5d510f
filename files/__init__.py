"""The files that celtop reads and writes in its config and state folders."""
