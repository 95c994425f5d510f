"""Copying to the clipboard and saving to files."""
