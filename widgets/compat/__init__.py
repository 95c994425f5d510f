"""The only importer of private Textual modules."""
