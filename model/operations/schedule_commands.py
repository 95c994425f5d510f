"""The operations on beat's schedule."""

from __future__ import annotations

from ..text.phrases import counted
from .operation import Operation, Words


class SwitchEntries(Operation, frozen=True):
    """Enable or disable periodic tasks of django-celery-beat, as in the Django admin."""

    entries: tuple[str, ...]
    """Their names."""
    enabled: bool
    words = Words("Disabled", "Disabling", "Disable", "{0.what}")

    @property
    def what(self) -> str:
        """The name of a single periodic task, or how many there are."""
        names = self.entries
        return names[0] if len(names) == 1 else counted(len(names), "periodic task")

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the periodic tasks."""
        return self.entries

    def phrase(self) -> Words:
        """Return its words: periodic tasks are enabled or disabled."""
        enabling = Words("Enabled", "Enabling", "Enable", self.words.object)
        return self.filled(enabling if self.enabled else self.words)
