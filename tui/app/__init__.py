"""The app: start and end, keys everywhere, navigation between screens."""
