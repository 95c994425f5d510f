"""The command palette: every command, and every action of a key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from ...bindings.keys import key_names
from ..screens.base import MonitorScreen
from .base import CommandError, CommandHost
from .table import COMMANDS
from .views import saved_views

if TYPE_CHECKING:
    from collections.abc import Callable
Entry: TypeAlias = "tuple[str, str, Callable[[], object]]"


class CeltopCommands(Provider):
    """The typed commands, and the actions of the keys that work here."""

    async def discover(self) -> Hits:
        """Offer everything."""
        for name, text, start in self._entries():
            yield DiscoveryHit(name, start, help=text)

    async def search(self, query: str) -> Hits:
        """Offer what matches the query."""
        matcher = self.matcher(query)
        for name, text, start in self._entries():
            score = max(matcher.match(name), 0.5 * matcher.match(text))
            if score > 0:
                yield Hit(score, matcher.highlight(name), start, help=text)

    def _entries(self) -> Iterator[Entry]:
        app = cast("CommandHost", self.app)
        for command in COMMANDS:
            name = f":{command.name} {command.argument}".rstrip()
            needed = command.argument and not command.argument.startswith("[")
            if needed:
                yield name, command.help, partial(app.action_command_line, f"{command.name} ")
            else:
                yield name, command.help, partial(app.run_command, command.name)
        with suppress(CommandError):  # `:view` reports it
            for name, view in saved_views().items():
                yield f":view {name}", f"Open {view}", partial(app.run_command, f"view {name}")
        contexts = cast("MonitorScreen", self.screen).CONTEXTS
        for action in app.context.keymap.in_context("global", *contexts):
            if action.id not in ("palette", "back"):
                name = f"{action.label} ({key_names(action)})" if action.keys else action.label
                target = self.app if "global" in action.contexts else self.screen
                press = partial(self.app.call_later, self.app.run_action, action.action, target)
                yield name, action.help, press
