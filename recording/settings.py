"""The settings of a replay: the viewer's own, and what the recording has about its model."""

from __future__ import annotations

from typing import Any, Final

from ..settings import Settings
from .header import MODEL_SETTINGS
from .reader import InvalidRecording, Recording

BOUNDS: Final = {"max_tasks": 1_000_000, "max_text_bytes": 1 << 30}
"""The most that a recording may ask for, unless the viewer's own settings allow more."""
NO_CLUSTER: Final[dict[str, Any]] = {
    "broker_url": "memory://",
    "result_backend": None,
    "broker_transport_options": {},
    "app": None,
    "cluster": None,
    "clusters": {},
    "load_results": 0,
    "history": "off",
    "from_history": None,
    "prometheus_url": None,
    "read_only": True,
}
"""The settings of a session that must not connect to anything."""


def replay_settings(settings: Settings, recording: Recording) -> Settings:
    """Return the viewer's settings with those of the recording that determine the model.

    Raises:
        InvalidRecording: The settings in the file are invalid.
    """
    found = recording.header.settings
    own = {name: found[name] for name in MODEL_SETTINGS if name in found}
    try:
        valid = Settings.model_validate(own)
    except ValueError:
        raise InvalidRecording(
            f"Cannot replay {recording.path}: its header has invalid settings"
        ) from None
    update: dict[str, Any] = {name: getattr(valid, name) for name in own}
    for name, most in BOUNDS.items():
        update[name] = min(getattr(valid, name), max(most, getattr(settings, name)))
    return settings.model_copy(update={**update, **NO_CLUSTER})
