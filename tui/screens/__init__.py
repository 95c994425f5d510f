"""The seven numbered views, and the bases of all screens."""
