"""The form of a task that is to be sent: a new one, or an earlier one with changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ...model.confirm.targets import known_queues, registered, task_names
from ...model.entities.broker import BrokerFamily
from ...model.operations.call import MAX_PRIORITY, MAX_QUEUE_NAME_BYTES, Call, Recovered
from ...model.text import parse, units
from ...model.text.parse import ParseError
from ...model.text.sanitize import visible
from ...widgets.form.form import Form, FormField, Problems
from .argument_fields import Prefilled
from .form import FormDialog

if TYPE_CHECKING:
    from ...model.state import ClusterState
    from ..context import AppContext

Known: TypeAlias = "Call | Recovered"
NEWEST: Final = 5_000
"""Tasks that are looked at to tell where a task name usually goes."""
_LONGEST: Final = 120


class TriggerForm(FormDialog):
    """Returns the fields of a task.

    Args:
        context: Its model completes names, and suggests the usual queue of a task.
        known: What the fields begin with.
        notes: Where that comes from.
        again: Whether it is an earlier task.
    """

    def __init__(
        self, context: AppContext, known: Prefilled, notes: Sequence[str], *, again: bool
    ) -> None:
        self._state = context.state
        self._zone = UTC if context.utc else None
        self._clock = context.clock
        self._named = known.call.name
        """The task's name, as far as its usual queue was looked up. `_name` is Textual's own."""
        self._given_queue = known.call.queue is not None
        super().__init__(
            "Edit and run again" if again else "Trigger a task",
            self._entries(known),
            notes=notes,
            submit="Send ...",
            check=_together,
            preview=self._preview,
        )

    def _entries(self, known: Prefilled) -> list[FormField]:
        call, state = known.call, self._state
        queue = call.queue or usual_queue(state, call.name) or ""
        return [
            FormField(
                "name",
                "Task",
                _name,
                call.name,
                "down completes it",
                self._told_name,
                options=task_names(state),
            ),
            known.args,
            known.kwargs,
            FormField(
                "queue",
                "Queue",
                _queue,
                queue,
                "down completes it",
                self._told_queue,
                options=known_queues(state),
            ),
            FormField(
                "priority",
                "Priority",
                _optional(lambda text: parse.integer(text, 0, MAX_PRIORITY)),
                "" if call.priority is None else str(call.priority),
                priority_sense(state.broker.family),
            ),
            FormField(
                "countdown",
                "Countdown",
                _optional(parse.duration),
                parse.seconds_text(call.countdown),
                "as 30s, 5m, 1h",
                lambda value: "" if value is None else f"{units.duration(value)} from sending",
            ),
            FormField(
                "eta_at",
                "ETA",
                _optional(self._moment),
                "",
                f"as 14:30, {'UTC' if self._zone else 'local time'}, or ISO",
                self._told_moment,
            ),
            FormField(
                "expires_in",
                "Expires in",
                _optional(_some_time),
                parse.seconds_text(call.expires_in),
                "as 30s, 5m; empty: never",
                lambda value: "" if value is None else f"{units.duration(value)} from sending",
            ),
        ]

    def _moment(self, text: str) -> float:
        return parse.moment(text, self._clock(), self._zone)

    def _told_name(self, name: str) -> str:
        having = [w for w in self._state.workers.values() if w.registered is not None]
        number = sum(name in (worker.registered or ()) for worker in having)
        if number:
            return f"registered in {number:,} of {len(having):,} workers"
        near = [each for each in registered(self._state) if name.lower() in each.lower()]
        if near:
            return f"{len(near):,} match: {', '.join(sorted(near)[:3])}"
        return "no worker has registered it" if having else ""

    def _told_queue(self, name: str) -> str:
        queue = self._state.queues.get(name)
        if queue is None:
            return "no such queue is known: nobody may consume it"
        if not queue.consumers and not queue.consumer_count:
            return "nobody is known to consume it"
        return f"{units.count(queue.waiting)} waiting"

    def _told_moment(self, at: float | None) -> str:
        if at is None:
            return ""
        now = self._clock()
        when = units.date_time(at, self._zone)[:19]
        if at <= now:
            return f"{when} is in the past: it starts at once"
        return f"{when}, in {units.duration(at - now)}"

    def _preview(self, values: Mapping[str, Any]) -> str:
        call = filled_call(Call(name=""), values)
        words = [*map(repr, call.args), *(f"{key}={value!r}" for key, value in call.kwargs.items())]
        text = visible(f"{call.name}({', '.join(words)})", _LONGEST)
        return f"Sends {text} to {call.queue}, as JSON"

    def on_form_changed(self, message: Form.Changed) -> None:
        """Take the queue that the task usually goes to, unless one was given or typed."""
        message.stop()
        name = self.form.texts["name"].strip()
        if name == self._named:
            return
        self._named = name
        if not self._given_queue and not self.form.touched("queue"):
            queue = usual_queue(self._state, name)
            if queue is not None:
                self.form.put("queue", queue)


def usual_queue(state: ClusterState, name: str) -> str | None:
    """Return the queue that most of the newest tasks of a name went to; None if there are none."""
    if name not in state.types:
        return None
    newest = islice(reversed(state.tasks.values()), NEWEST)
    found = Counter(task.queue for task in newest if task.name == name and task.queue)
    return found.most_common(1)[0][0] if found else None


def priority_sense(family: BrokerFamily) -> str:
    """Return what a larger number means to a broker."""
    if family == "redis":
        return "0 goes first, 9 last"
    if family == "amqp":
        return "larger first, in priority queues"
    return "empty: the broker's default"


def filled_call(known: Call, values: Mapping[str, Any]) -> Call:
    """Return a known call with what was typed."""
    fields = ("name", "args", "kwargs", "queue", "priority", "countdown", "eta_at", "expires_in")
    return msgspec.structs.replace(known, **{field: values[field] for field in fields})


def _together(values: Mapping[str, Any]) -> Problems:
    countdown, eta_at = values.get("countdown"), values.get("eta_at")
    if countdown is not None and eta_at is not None:
        return {"eta_at": "either a countdown or an ETA"}
    expires_in = values.get("expires_in")
    if countdown is not None and expires_in is not None and expires_in <= countdown:
        return {"expires_in": "it would expire before it may start"}
    return {}


def _name(text: str) -> str:
    name = text.strip()
    if not name:
        raise ParseError("needed: as workers know it")
    if not name.isprintable():
        raise ParseError("holds what cannot be seen")
    return name


def _queue(text: str) -> str:
    name = text.strip()
    if not name:
        raise ParseError("needed: where it goes")
    if len(name.encode()) > MAX_QUEUE_NAME_BYTES:
        raise ParseError(f"longer than {MAX_QUEUE_NAME_BYTES} bytes")
    return name


def _some_time(text: str) -> float:
    seconds = parse.duration(text)
    if not seconds:
        raise ParseError("it would expire at once")
    return seconds


def _optional(read: Any) -> Any:
    return lambda text: read(text) if text.strip() else None
