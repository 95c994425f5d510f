"""Dialogs with a form: to send a task, and to change workers."""
