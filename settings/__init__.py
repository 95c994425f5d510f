"""The settings: their fields and types, and how they are loaded from all sources."""

from .loading import DescribeApp, flag_name, load_settings
from .settings import Settings, SettingsError

__all__ = ["DescribeApp", "Settings", "SettingsError", "flag_name", "load_settings"]
