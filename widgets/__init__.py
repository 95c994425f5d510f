"""Reusable Textual widgets. They depend on the model's values, not on a session or a screen."""
