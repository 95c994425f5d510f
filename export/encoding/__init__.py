"""Documents as bytes in each format; all that knows how a format is written."""
