"""A model turned into bytes."""
