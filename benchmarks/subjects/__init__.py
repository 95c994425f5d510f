"""The programs that are compared, and the instruments that measure them."""
