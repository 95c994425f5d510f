"""The footer: the numbered views and the most important keys of the screen."""

from __future__ import annotations

from collections.abc import Sequence

from ...bindings.actions import VIEWS
from ...bindings.contexts import Context
from ..context import AppContext
from .base import Bar, Part
from .header import connection


class KeyBar(Bar):
    """The bottom line of every screen."""

    def paint(
        self,
        context: AppContext,
        view: str,
        contexts: Sequence[Context],
        with_connection: bool = False,
        on_page: bool = False,
    ) -> None:
        """Show the views, the current one highlighted, and the keys of these contexts.

        On a page inside a view, the key that quits goes back.
        """
        views = []
        keymap = context.keymap
        for priority, action in enumerate((keymap[each.id] for each in VIEWS), start=10):
            here = action.id == f"view.{view}"
            click = f"app.{action.action}"
            key = keymap.key(action.id, ascii_only=context.ascii)
            views.append(Part(key, "bold $text-accent", 0 if here else 3, click))
            style = "bold reverse" if here else "$text-muted"
            views.append(Part(action.label, style, 0 if here else priority, click, gap=1))
        keys: list[Part] = []
        for action in reversed(keymap.in_context("global", *contexts)):
            if action.show and action.keys and not action.id.startswith("view."):
                last = action.id in ("help", "quit")
                label = "back" if on_page and action.id == "quit" else action.label
                text = f"{keymap.key(action.id, ascii_only=context.ascii)} {label}"
                keys.append(Part(text, "$text-muted", 1 if last else 20 + len(keys), gap=2))
        # Without a header this is the only line that can show the connection.
        if with_connection:
            keys.append(connection(context))
        self.show(views, [*keys, Part("", gap=1)])
