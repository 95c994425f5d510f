"""Reusable Textual widgets. They know the model's values, no session and no screen."""
