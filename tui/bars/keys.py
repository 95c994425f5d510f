"""The footer: on the left the numbered views, on the right the keys that work here now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ...bindings.action import Action
from ...bindings.actions import VIEWS
from ...bindings.keymap import Keymap
from ..context import AppContext
from .base import Bar, Part
from .header import connection_parts, frozen_badge, lasting_badge, read_only_badge

Key: TypeAlias = tuple[str, str]
"""The id of an action, and its label if that differs from the usual one."""

ALWAYS: Final = 1
"""The priorities of the parts; the highest number is left out first."""
CURRENT_VIEW: Final = 2
VIEW_KEYS: Final = 3
MARKED: Final = 4
"""What the keys of the marked rows are for, and, with further ones, these keys."""
BADGE: Final = 10
"""That of a change in force: it names what the key of undo is for."""
BADGE_CHARACTERS: Final = 12
SELECTION: Final = (20, 40, 60)
"""The keys of the selected row, the most important first; the others are in the menu, too."""
_LAST: Final = ("help", "quit")
_CORE: Final = {
    "zoom": 25, "open": 30, "charts.tasks": 30, "scroll.left": 35, "scroll.right": 36,
    "charts.earlier": 40, "filter": 50, "filter.tasks": 50, "search": 50, "error": 70,
    "undo": 75, "act.menu": 80, "command": 120, "freeze": 130,
}  # fmt: skip
"""The keys that are left out after the others. Between them are those of the row, and the names
of the views."""
UNFREEZE: Final = 34
VIEW_NAMES: Final = 90
MAX_SINGLE_KEYS: Final = 2
"""Keys of views, one after the other, up to which each is shown in a narrow terminal."""
REST_OF_SELECTION: Final = 110
OTHERS: Final = 140


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
        self,
        context: AppContext,
        keymap: Keymap,
        view: str,
        here: Here,
        with_connection: bool = False,
    ) -> None:
        """Show the views, the current one highlighted, and the keys that work here now."""
        # Without a header this is the only line that can show the connection, a freeze and changes.
        last: tuple[Part, ...] = ()
        if with_connection:
            read_only = (read_only_badge(context),) if context.session.read_only else ()
            frozen = (frozen_badge(context),) if context.frozen else ()
            changes = [
                replace(badge, text=badge.text.strip(), priority=BADGE)
                for badge in lasting_badge(context, BADGE_CHARACTERS)
            ]
            last = (*frozen, *changes, *connection_parts(context), *read_only)
        painted = (view, here, last, self.size.width, keymap)
        if painted == self._painted:
            return
        self._painted = painted
        right = [*_keys(context, keymap, here), *last, Part("", gap=1)]
        views = _views(context, keymap, view)
        needed = sum(one.width for one in (*views, *right) if one.priority < VIEW_NAMES)
        if needed > self.size.width:
            views = list(_ranges(views))
        self.show(views, right)


def _views(context: AppContext, keymap: Keymap, view: str) -> list[Part]:
    """Return the keys and names of the views: `1 Overview 2 Tasks`, or `1 2 Tasks 3`.

    Without their keys only the current one is left. The names of the last ones are left out first.
    """
    parts: list[Part] = []
    for number, action in enumerate(keymap[one.id] for one in VIEWS):
        here = action.id == f"view.{view}"
        if not (action.keys or here):
            continue
        if action.id == "view.clusters" and not (here or context.settings.clusters):
            continue
        click = f"app.{action.action}"
        if key := keymap.key(action.id, ascii_only=context.ascii):
            parts.append(Part(key, "bold $text-accent", 0 if here else VIEW_KEYS, click, gap=1))
        style = "bold reverse" if here else "$text-muted"
        priority = CURRENT_VIEW if here else VIEW_NAMES + number
        parts.append(Part(action.label, style, priority, click, gap=1))
    return parts


def _ranges(views: Sequence[Part]) -> Iterator[Part]:
    """Yield the views without the names of others, and their keys as `1 Overview 2-9`.

    A click on such keys opens the palette, which lists the views.
    """
    run: list[Part] = []
    for part in (*views, Part("")):
        if part.priority >= VIEW_NAMES:
            continue
        follows = run and part.priority == VIEW_KEYS and _is_next(run[-1].text, part.text)
        if not follows:
            if len(run) > MAX_SINGLE_KEYS:
                text = f"{run[0].text}-{run[-1].text}"
                yield replace(run[0], text=text, click="app.command_palette")
            else:
                yield from run
            run = []
        if part.priority == VIEW_KEYS:
            run.append(part)
        elif part.text:
            yield part


def _is_next(key: str, other: str) -> bool:
    return key.isdecimal() and other.isdecimal() and int(other) == int(key) + 1


def _keys(context: AppContext, keymap: Keymap, here: Here) -> list[Part]:
    parts = [Part(here.title, "bold $text-accent", MARKED)] if here.title else []
    for number, (id_, label) in enumerate(here.selection):
        if here.title:
            priority = MARKED + number
        elif number < len(SELECTION):
            priority = SELECTION[number]
        else:
            priority = REST_OF_SELECTION + number
        parts += _key(context, keymap, id_, label, priority, "$text-primary")
    for number, (id_, label) in enumerate(here.general):
        priority = ALWAYS if id_ in _LAST else _CORE.get(id_, OTHERS + number)
        if id_ == "freeze" and context.frozen:
            priority = UNFREEZE
        parts += _key(context, keymap, id_, label, priority, "$text-muted")
    return parts


def _key(
    context: AppContext, keymap: Keymap, id_: str, label: str, priority: int, style: str
) -> list[Part]:
    action = keymap[id_]
    if not action.keys:
        return []
    key = keymap.key(id_, ascii_only=context.ascii)
    return [Part(f"{key} {label or action.label}", style, priority, _click(action))]


def _click(action: Action) -> str | None:
    """Return what a click on the key runs; None for the keys of a line that is typed into."""
    if action.action.startswith(("app.", "screen.")):
        return action.action
    if "command" in action.contexts:
        return None
    return f"app.{action.action}" if "global" in action.contexts else f"screen.{action.action}"
