"""The screens: seven numbered views, and the pages behind their rows."""
