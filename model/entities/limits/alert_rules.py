"""Which findings raise an alert, and how: `[alerts]` in the config file."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec

Notification: TypeAlias = Literal["auto", "9", "777", "99", "off"]
LEAST_SEVERITIES: Final = ("error", "warning", "info")


class AlertRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"after": "for"}):
    """The findings that raise an alert, and what an alert does; by default nothing does."""

    severity: Literal["error", "warning", "info"] = "error"
    """The least severe findings that raise an alert."""
    ignore: tuple[str, ...] = ()
    """Codes of findings that raise none."""
    after: float = 30.0
    """Seconds for which a finding must last; as long it must be gone to be resolved."""
    repeat: float = 14_400.0
    """Seconds until an alert that goes on is repeated; 0 for never."""
    bell: bool = False
    """Whether to ring the terminal's bell, which also marks the window in tmux."""
    title: bool = False
    """Whether the title of the terminal's window counts the alerts."""
    notification: Notification = "off"
    """The escape sequence (OSC 9, 777 or 99) of a desktop notification; `auto` chooses it by the
    terminal, if that is known."""
    command: tuple[str, ...] = ()
    """A program and its arguments; it is run without a shell and reads the alerts as JSON."""
    webhook: str = ""
    """The URL that alerts are posted to, such as Alertmanager's `.../api/v2/alerts`."""
    labels: dict[str, str] = {}
    """Labels that are added to each posted alert."""

    @property
    def raises_any(self) -> bool:
        """Whether an alert does anything at all."""
        notified = self.notification != "off"
        return bool(self.bell or self.title or notified or self.command or self.webhook)


def defaults() -> dict[str, Any]:
    """Return the rules as a table of the config file, with their defaults."""
    table: dict[str, Any] = msgspec.to_builtins(AlertRules())
    return table
