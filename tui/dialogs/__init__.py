"""Dialogs: confirmations, menus, forms."""
