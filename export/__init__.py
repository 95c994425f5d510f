"""The model as records and documents, in all formats."""
