"""Monitoring without a screen: sessions that are pumped for what is made of their changes."""
