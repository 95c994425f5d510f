"""The texts of the held tasks: shared where they are equal, counted, and shortened.

All long texts of tasks are changed only here, which keeps the count of their bytes exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from ....entities.cluster.totals import Totals
from ....entities.task import Task, text_size
from ....wire.events import MAX_FIELDS

MAX_SHARED_LENGTH: Final = 256
"""Characters of a text that tasks share if it is the same: arguments and results often are."""
MAX_SHARED_TEXTS: Final = 8_192
"""Texts that are compared with new ones; then they are forgotten, and the next ones take their
place."""

LONG_TEXT: Final = 4_096
"""Characters above which a result or traceback is shortened when there is too much text."""
SHORTENED_START: Final = 1_024
SHORTENED_END: Final = 2_560

TextField = Literal["args", "kwargs", "result", "exception", "traceback"]


class TaskTexts:
    """The texts of tasks; `Totals.text_bytes` is their size."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals
        self._texts: dict[str, str] = {}
        self._long: dict[str, Task] = {}
        """The tasks with long texts, by id, the oldest texts first."""

    def set(self, task: Task, field: TextField, text: str | None) -> None:
        """Set one of a task's long texts."""
        old: str | None = getattr(task, field)
        if text == old:
            return
        grown = 0 if old is None else -text_size(old)
        if text is not None:
            text = self.shared(text)
            if len(text) > LONG_TEXT:
                self._long[task.id] = task
            grown += text_size(text)
        self._totals.text_bytes += grown
        setattr(task, field, text)

    def set_result(self, task: Task, text: str) -> None:
        """Set a task's result."""
        if task.result is not None or len(text) > LONG_TEXT:
            self.set(task, "result", text)
        else:
            task.result = self.shared(text)
            self._totals.text_bytes += text_size(text)

    def set_arguments(self, task: Task, args: str | None, kwargs: str | None) -> None:
        """Set a task's arguments; None leaves them unchanged."""
        if task.args is not None or task.kwargs is not None:
            if args is not None:
                self.set(task, "args", args)
            if kwargs is not None:
                self.set(task, "kwargs", kwargs)
            return
        grown = 0
        if args is not None:
            task.args = self.shared(args)
            grown = text_size(args)
        if kwargs is not None:
            task.kwargs = self.shared(kwargs)
            grown += text_size(kwargs)
        self._totals.text_bytes += grown

    def shared(self, text: str) -> str:
        """Return an equal text that other tasks have, if there is one."""
        if len(text) > MAX_SHARED_LENGTH:
            return text
        texts = self._texts
        if len(texts) >= MAX_SHARED_TEXTS:
            texts.clear()
        return texts.setdefault(text, text)

    def fill_arguments(self, task: Task, args: str | None, kwargs: str | None) -> None:
        """Set a task's arguments if they are unknown."""
        self.set_arguments(
            task, args if task.args is None else None, kwargs if task.kwargs is None else None
        )

    def add_fields(self, task: Task, added: Mapping[str, object]) -> None:
        """Add the fields of a custom event as text, up to `MAX_FIELDS`."""
        known = {} if task.extra is None else task.extra.fields
        fields = dict(known)
        for name, value in added.items():
            if value is not None and (name in fields or len(fields) < MAX_FIELDS):
                fields[name] = str(value)
        grown = sum(text_size(name) + text_size(value) for name, value in fields.items())
        grown -= sum(text_size(name) + text_size(value) for name, value in known.items())
        self.count(grown)
        task.set_extra(fields=fields)

    def count(self, grown: int) -> None:
        """Count bytes of text that a task added, or removed if negative."""
        self._totals.text_bytes += grown

    def shorten(self, max_bytes: int) -> list[Task]:
        """Shorten the oldest long results and tracebacks until all fit, and return their tasks."""
        shortened: list[Task] = []
        for task in self._long.values():
            if self._totals.text_bytes <= max_bytes:
                break
            shortened.append(task)
            self.set(task, "result", _shortened(task.result))
            self.set(task, "traceback", _shortened(task.traceback))
        for task in shortened:
            del self._long[task.id]
        return shortened

    def forget(self, evicted: Iterable[Task]) -> None:
        """Forget tasks that are no longer held."""
        if self._long:
            for task in evicted:
                self._long.pop(task.id, None)


def _shortened(text: str | None) -> str | None:
    """Return a text that is too long without its middle."""
    if text is None or len(text) <= LONG_TEXT:
        return text
    left_out = len(text) - SHORTENED_START - SHORTENED_END
    return f"{text[:SHORTENED_START]}\n... [{left_out:,} characters]\n{text[-SHORTENED_END:]}"
