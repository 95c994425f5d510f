"""Inspects workers by remote control."""
