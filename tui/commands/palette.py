"""The command palette: screens, saved views, the keys of the screen, and commands.

Workers, queues, task types and tasks are found by their names and ids while one types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from ...bindings.actions import VIEWS
from ...bindings.keys import key_names
from ...model.text.phrases import short_id
from ...model.text.sanitize import visible
from ..navigation import DrillDown, Location
from ..screens.base.screen import MonitorScreen
from .base import CommandError, CommandHost
from .table import COMMANDS
from .views import described, open_saved, saved_views

if TYPE_CHECKING:
    from ...bindings.action import Action
    from ..navigation import Kind

MIN_ID_CHARACTERS: Final = 4
"""Characters of a task id from which on tasks are offered."""
MAX_TASKS: Final = 10
MAX_NAME_CHARACTERS: Final = 120
COMMAND_BONUS: Final = 0.5
"""What commands, keys and views score more than equally good names of the cluster."""

SAME: Final = {
    **{action.id.removeprefix("view."): action.id for action in VIEWS},
    "filter": "filter",
    "freeze": "freeze",
    "help": "help",
    "limit": "type.limit",
    "purge": "queue.purge",
    "quit": "quit",
    "refresh": "refresh",
    "retry": "task.retry",
    "revoke": "task.revoke",
    "save": "export",
    "terminate": "task.terminate",
    "trigger": "task.trigger",
    "undo": "undo",
    "workflow": "workflow",
    "zone": "times",
}
"""The action equivalent to a command; on screens with its key, the command is not listed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the palette."""

    name: str
    help: str
    start: Callable[[], object]

    @property
    def display(self) -> Content:
        """The name, which may be text from the cluster, so it is never taken for markup."""
        return Content(visible(self.name, MAX_NAME_CHARACTERS))


class CeltopCommands(Provider):
    """Provides all screens, views, keys and commands to the palette."""

    async def discover(self) -> Hits:
        """Offer all commands and keys."""
        for entry in self._entries():
            yield DiscoveryHit(entry.display, entry.start, entry.name, escape(entry.help))

    async def search(self, query: str) -> Hits:
        """Offer what contains the query; otherwise the names with its letters in their order."""
        commands, items = list(self._entries()), list(self._items(query))
        match = _WholeMatch(query)
        scores = [
            *((entry, match.score(entry) + COMMAND_BONUS) for entry in commands),
            *((entry, match.score(entry)) for entry in items),
        ]
        found = [(entry, score) for entry, score in scores if score >= 1]
        if not found:
            matcher = self.matcher(query)
            scattered = ((entry, matcher.match(entry.name)) for entry in (*commands, *items))
            found = [(entry, score) for entry, score in scattered if score > 0]
        for entry, score in found:
            display, text = _highlighted(entry, query), escape(entry.help)
            yield Hit(score, display, entry.start, entry.name, text)

    def _views(self) -> Iterator[Entry]:
        """Yield the saved views, invalid ones with the reason; or why none can be read."""
        app = self._host
        try:
            views, invalid = saved_views()
        except CommandError as error:
            yield Entry(":view", str(error), partial(app.run_command, "view"))
            return
        texts = {name: f"Open {described(view)}" for name, view in views.items()}
        for name, text in {**texts, **invalid}.items():
            yield Entry(f":view {name}", text, partial(open_saved, app, name))

    def _entries(self) -> Iterator[Entry]:
        app = self._host
        contexts = cast("MonitorScreen", self.screen).CONTEXTS
        actions = app.context.keymap.in_context("global", *contexts)
        yield from (self._action(action) for action in actions if action.id.startswith("view."))
        yield from self._views()
        for action in actions:
            if action.id not in ("palette", "back") and not action.id.startswith("view."):
                yield self._action(action)
        listed = {action.id for action in actions}
        for command in COMMANDS:
            if SAME.get(command.name) in listed:
                continue
            name = f":{command.name} {command.argument}".rstrip()
            if command.argument and not command.argument.startswith("["):
                start: Callable[[], object] = partial(app.action_command_line, f"{command.name} ")
            else:
                start = partial(app.run_command, command.name)
            yield Entry(name, command.help, start)

    def _action(self, action: Action) -> Entry:
        target = self.app if "global" in action.contexts else self.screen
        press = partial(self.app.call_later, self.app.run_action, action.action, target)
        name = f"{action.label} ({key_names(action)})" if action.keys else action.label
        return Entry(name, action.help, press)

    def _items(self, query: str) -> Iterator[Entry]:
        state = self._host.context.state
        yield from (self._item("worker", name) for name in state.workers)
        yield from (self._item("queue", name) for name in state.queues)
        yield from (self._item("type", name) for name in state.types)
        if len(query) >= MIN_ID_CHARACTERS:
            found = (task for id_, task in state.tasks.items() if id_.startswith(query))
            for task in islice(found, MAX_TASKS):
                yield self._item("task", task.id, task.name or "")

    def _item(self, kind: Kind, subject: str, note: str = "") -> Entry:
        title = short_id(subject) if kind == "task" else ""
        location = Location(f"{kind}s").deeper(DrillDown(kind, subject, title))
        name = f"{kind} {subject} {note}".rstrip()
        return Entry(name, f"Open the {kind}", lambda: self._host.go(location))

    @property
    def _host(self) -> CommandHost:
        return cast("CommandHost", self.app)


class _WholeMatch:
    """Scores texts that contain a query: 1 or more, 0 for others."""

    def __init__(self, query: str) -> None:
        self._query = query.strip().lower()
        # Words are also the parts of `geo.convert_to_raster`.
        self._word = re.compile(rf"(?<![^\W_]){re.escape(self._query)}")

    def score(self, entry: Entry) -> float:
        """Return 3 for the beginning of a word in the name, 2 for any part of it, 1 in the help."""
        name = entry.name.lower()
        if self._query in name:
            return 3 if self._word.search(name) else 2
        return 1 if self._word.search(entry.help.lower()) else 0


def _highlighted(entry: Entry, query: str) -> Content:
    content = entry.display
    at = content.plain.lower().find(query.lower())
    return content if at < 0 else content.stylize("bold underline", at, at + len(query))
