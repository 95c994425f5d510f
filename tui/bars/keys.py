"""The footer: on the left the numbered views, on the right the keys that work here now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ...bindings.action import Action
from ...bindings.actions import VIEWS
from ..context import AppContext
from .base import GAP, Bar, Part
from .header import connection

Key: TypeAlias = tuple[str, str]
"""The id of an action, and its label if that differs from the usual one."""

NAMES_WIDTH: Final = 110
"""From this width on the views have their names, if the keys of the selection leave room."""
ALWAYS: Final = 1
"""The priorities of the keys; the highest number is left out first."""
SELECTION: Final = 4
CORE: Final = 20
OTHERS: Final = 40
_LAST: Final = ("help", "quit")
_CORE: Final = (
    "open", "filter", "filter.tasks", "search", "act.menu", "error", "command", "freeze",
)  # fmt: skip
"""The general keys that are left out last, the most important first."""


@dataclass(frozen=True, slots=True)
class Here:
    """The keys that work here now, the most important first."""

    title: str = ""
    """What the keys of the selection are for: `3 marked:`."""
    selection: tuple[Key, ...] = ()
    """For the selected rows."""
    general: tuple[Key, ...] = ()
    """For the screen as a whole."""


class KeyBar(Bar):
    """The bottom line of every screen."""

    _painted: tuple[object, ...] = ()

    def paint(
        self, context: AppContext, view: str, here: Here, with_connection: bool = False
    ) -> None:
        """Show the views, the current one highlighted, and the keys that work here now."""
        # Without a header this is the only line that can show the connection.
        last = connection(context) if with_connection else None
        painted = (view, here, last, self.size.width, context.keymap)
        if painted == self._painted:
            return
        self._painted = painted
        right = [*_keys(context, here), *([last] if last else []), Part("", gap=1)]
        for names, gap, least in ((True, GAP, NAMES_WIDTH), (False, 1, 0), (False, 0, 0)):
            views = _views(context, view, names=names, gap=gap)
            needed = _width(part for part in (*views, *right) if part.priority < CORE)
            if self.size.width >= max(least, needed):
                break
        self.show(views, right)


def _width(parts: Iterable[Part]) -> int:
    return sum(part.gap + len(part.text) for part in parts)


def _views(context: AppContext, view: str, *, names: bool, gap: int) -> list[Part]:
    """Return the keys of the views: `1 Overview  2 Tasks`, `1 2 Tasks 3` or `12 Tasks 3`."""
    parts: list[Part] = []
    joins = False
    for action in (context.keymap[one.id] for one in VIEWS):
        here = action.id == f"view.{view}"
        click = f"app.{action.action}"
        key = context.keymap.key(action.id, ascii_only=context.ascii)
        before = gap if joins and len(key) == 1 else max(1, gap)
        joins = len(key) == 1 and not here
        parts.append(Part(key, "bold $text-accent", 0 if here else 3, click, before))
        if names or here:
            style = "bold reverse" if here else "$text-muted"
            parts.append(Part(action.label, style, 0 if here else 2, click, gap=1))
    return parts


def _keys(context: AppContext, here: Here) -> list[Part]:
    parts = [Part(here.title, "bold $text-accent", SELECTION)] if here.title else []
    for number, (id_, label) in enumerate(here.selection):
        parts += _key(context, id_, label, SELECTION + number, "$text-primary")
    for number, (id_, label) in enumerate(here.general):
        order = CORE + _CORE.index(id_) if id_ in _CORE else OTHERS + number
        priority = ALWAYS if id_ in _LAST else order
        parts += _key(context, id_, label, priority, "$text-muted")
    return parts


def _key(context: AppContext, id_: str, label: str, priority: int, style: str) -> list[Part]:
    action = context.keymap[id_]
    if not action.keys:
        return []
    key = context.keymap.key(id_, ascii_only=context.ascii)
    return [Part(f"{key} {label or action.label}", style, priority, _click(action))]


def _click(action: Action) -> str | None:
    """Return what a click on the key runs; None for the keys of a line that is typed into."""
    if action.action.startswith(("app.", "screen.")):
        return action.action
    if "command" in action.contexts:
        return None
    return f"app.{action.action}" if "global" in action.contexts else f"screen.{action.action}"
