"""The form for sending a task: a new one, or an edited earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

import msgspec

from ....model.confirm.targets import known_queues, registered, task_names
from ....model.entities.broker import BrokerFamily
from ....model.operations.call import MAX_QUEUE_NAME_BYTES, Call, Recovered, max_priority
from ....model.routing import routing
from ....model.text import parse, units
from ....model.text.parse import ParseError
from ....model.text.phrases import counted
from ....model.text.sanitize import visible
from ....widgets.form.field import FormField
from ....widgets.form.form import Form, Problems
from .arguments import PREFIX, Prefilled, argument_problems, fields_of, read_arguments
from .base import Filled, FormDialog

if TYPE_CHECKING:
    from ...context import AppContext

Known: TypeAlias = "Call | Recovered"
_MAX_TEXT: Final = 120
"""Characters of the call in the preview."""
_ARGUMENTS: Final = ("args", "kwargs")


class TriggerForm(FormDialog):
    """Returns the values of a task to send.

    Args:
        context: Its model provides names to complete and the usual queue of a task.
        known: The initial values.
        notes: Where the initial values come from.
        again: Whether it is an earlier task.
    """

    def __init__(
        self, context: AppContext, known: Prefilled, notes: Sequence[str], *, again: bool
    ) -> None:
        self._state = context.live
        settings = context.settings
        self._routing = routing(context.live, settings.routes, settings.default_queue)
        self._zone = UTC if context.utc else None
        self._clock = context.clock
        self._named = known.call.name
        """The task name whose usual queue was looked up; `_name` is Textual's own."""
        self._given_queue = known.call.queue is not None
        self._known = known
        self._registered = settings.registered
        super().__init__(
            "Edit and run again" if again else "Trigger a task",
            self._form_fields(),
            notes=notes,
            submit="Send ...",
            check=self._check,
            preview=self._preview,
        )

    def typed(self, before: Filled | None) -> Self:
        """Restore the fields of the task that was typed, and their texts."""
        if before is not None:
            self._named = before.texts["name"].strip()
            self.form.fields = tuple(self._form_fields())
        return super().typed(before)

    def _form_fields(self) -> list[FormField]:
        """Return the fields for the named task."""
        call, state = self._known.call, self._state
        highest = max_priority(state.broker.family)
        queue = call.queue or self._routing.usual_queue(call.name) or ""
        return [
            FormField(
                "name",
                "Task",
                _name,
                call.name,
                "down key: completions",
                self._explain_name,
                options=task_names(state),
            ),
            *self._argument_fields(),
            FormField(
                "queue",
                "Queue",
                queue_name,
                queue,
                "down key: completions",
                self._explain_queue,
                options=known_queues(state),
            ),
            FormField(
                "priority",
                "Priority",
                _optional(lambda text: parse.integer(text, 0, highest)),
                "" if call.priority is None else str(call.priority),
                priority_hint(state.broker.family),
            ),
            FormField(
                "countdown",
                "Countdown",
                _optional(parse.duration),
                parse.seconds_text(call.countdown),
                "e.g. 30s, 5m, 1h",
                lambda value: "" if value is None else f"{units.duration(value)} after sending",
            ),
            FormField(
                "eta_at",
                "ETA",
                _optional(self._moment),
                "",
                f"e.g. 14:30 ({'UTC' if self._zone else 'local time'}), or ISO 8601",
                self._explain_moment,
            ),
            FormField(
                "expires_in",
                "Expires in",
                _optional(_positive_duration),
                parse.seconds_text(call.expires_in),
                "e.g. 30s, 5m; empty: never",
                lambda value: "" if value is None else f"{units.duration(value)} after sending",
            ),
        ]

    def _argument_fields(self) -> Sequence[FormField]:
        """Return a field for each parameter, if the app declares them and the arguments fit."""
        registered = self._registered.get(self._named)
        self._parameters = registered.parameters if registered else None
        if self._parameters is not None:
            known = self._known if self._named == self._known.call.name else None
            if (fields := fields_of(self._parameters, known)) is not None:
                return fields
        self._parameters = None
        return self._known.args, self._known.kwargs

    def result(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values with the arguments of all parameters as `args` and `kwargs`."""
        if self._parameters is None:
            return values
        args, kwargs = read_arguments(self._parameters, values)
        return {**values, "args": args, "kwargs": kwargs}

    def _check(self, values: Mapping[str, Any]) -> Problems:
        found = dict(_check(values))
        if self._parameters is not None:
            found |= argument_problems(self._parameters, values)
        return found

    def _moment(self, text: str) -> float:
        return parse.moment(text, self._clock(), self._zone)

    def _explain_name(self, name: str) -> str:
        having = [w for w in self._state.workers.values() if w.registered is not None]
        number = sum(name in (worker.registered or ()) for worker in having)
        if number:
            where = f"registered on {number:,} of {counted(len(having), 'worker')}"
            declared = self._registered.get(name)
            return f"{where}. {declared.summary}" if declared and declared.summary else where
        near = [each for each in registered(self._state) if name.lower() in each.lower()]
        if near:
            return f"did you mean {', '.join(sorted(near)[:3])}?"
        return "not registered on any worker" if having else ""

    def _explain_queue(self, name: str) -> str:
        queue = self._state.queues.get(name)
        if queue is None:
            return "unknown queue; it may have no consumers"
        if queue.has_no_consumers:
            return "no known consumers"
        if not queue.has_consumers:
            return "consumers unknown"
        return f"{units.count(queue.waiting)} waiting"

    def _explain_moment(self, at: float | None) -> str:
        if at is None:
            return ""
        now = self._clock()
        when = units.date_time(at, self._zone)[:19]
        if at <= now:
            return f"{when} is in the past; starts immediately"
        return f"{when}, in {units.duration(at - now)}"

    def _preview(self, values: Mapping[str, Any]) -> str:
        call = filled_call(Call(name=""), self.result(dict(values)))
        arguments = [
            *map(repr, call.args),
            *(f"{key}={value!r}" for key, value in call.kwargs.items()),
        ]
        text = visible(f"{call.name}({', '.join(arguments)})", _MAX_TEXT)
        return f"Sends {text} to {call.queue}, as JSON"

    async def on_form_changed(self, message: Form.Changed) -> None:
        """Show the parameters and the usual queue of the task, unless others were typed."""
        message.stop()
        name = self.form.texts["name"].strip()
        if name == self._named:
            return
        self._named = name
        await self._show_parameters()
        if not self._given_queue and not self.form.touched("queue"):
            queue = self._routing.usual_queue(name)
            if queue is not None:
                self.form.put("queue", queue)

    async def _show_parameters(self) -> None:
        """Show the fields of the parameters of the named task."""
        shown = [id_ for id_ in self.form.rows if id_ in _ARGUMENTS or id_.startswith(PREFIX)]
        before = self._parameters
        if before is None and any(map(self.form.touched, shown)):
            return
        fields = self._argument_fields()
        if before is not None or self._parameters is not None:
            await self.form.replace(shown, fields, after="name")


def priority_hint(family: BrokerFamily) -> str:
    """Return how the broker orders priorities."""
    if family == "redis":
        return "0 is highest, 9 is lowest"
    if family == "amqp":
        return "higher first, in priority queues"
    return "empty: the broker's default"


def filled_call(known: Call, values: Mapping[str, Any]) -> Call:
    """Return a call with the typed values."""
    fields = ("name", "args", "kwargs", "queue", "priority", "countdown", "eta_at", "expires_in")
    return msgspec.structs.replace(known, **{field: values[field] for field in fields})


def _check(values: Mapping[str, Any]) -> Problems:
    countdown, eta_at = values.get("countdown"), values.get("eta_at")
    if countdown is not None and eta_at is not None:
        return {"eta_at": "cannot be combined with a countdown"}
    expires_in = values.get("expires_in")
    if countdown is not None and expires_in is not None and expires_in <= countdown:
        return {"expires_in": "expires before the task can start"}
    return {}


def _name(text: str) -> str:
    name = text.strip()
    if not name:
        raise ParseError("required: the name of a registered task")
    if not name.isprintable():
        raise ParseError("contains unprintable characters")
    return name


def queue_name(text: str) -> str:
    """Read the name of a queue.

    Raises:
        ParseError: It is empty or too long.
    """
    name = text.strip()
    if not name:
        raise ParseError("required")
    if len(name.encode()) > MAX_QUEUE_NAME_BYTES:
        raise ParseError(f"longer than {MAX_QUEUE_NAME_BYTES} bytes")
    return name


def _positive_duration(text: str) -> float:
    seconds = parse.duration(text)
    if not seconds:
        raise ParseError("expires immediately")
    return seconds


def _optional(read: Any) -> Any:
    return lambda text: read(text) if text.strip() else None
