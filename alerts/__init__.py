"""Alerts: findings that leave the screen, by the terminal, a command or a webhook."""
