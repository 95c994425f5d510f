"""Documents as bytes in each format; the only code that depends on how a format is written."""
