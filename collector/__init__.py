"""Monitoring without a screen: sessions whose changes go to history, alerts and metrics."""
