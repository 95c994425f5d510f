"""Fields of detail pages."""
