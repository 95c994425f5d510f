"""Groups actions by purpose, for the help."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .action import Action

PURPOSES: Final = (
    ("Look closer", "open why error workflow queue.look tasks.all compare charts window freeze"),
    ("Find", "filter search faults command palette"),
    ("Change the cluster", "act task pool worker queue.purge message type schedule undo"),
    ("Sort, mark, copy", "sort mark copy"),
    ("Replay", "replay"),
    ("Arrange", "wide zoom finding follow times refresh export"),
    ("Navigate", "view back history help quit suspend"),
    ("Move", "move scroll focus"),
)
"""Each purpose with the ids, or the starts of ids, of its actions."""
OTHER: Final = "Other"
BRIEF: Final = ("view", "history", "sort.", "mark.", "search.", "move", "scroll", "focus", "window")
"""The starts of ids whose labels suffice: they share lines in the help."""


def by_purpose(actions: Iterable[Action]) -> list[tuple[str, list[Action]]]:
    """Return the actions under the titles of their purposes, those of the screen first."""
    found: dict[str, list[Action]] = {title: [] for title, _ in PURPOSES}
    for action in actions:
        found.setdefault(purpose(action), []).append(action)
    for its in found.values():
        its.sort(key=lambda action: "global" in action.contexts)
    return [(title, its) for title, its in found.items() if its]


def purpose(action: Action) -> str:
    """Return the title of an action's purpose."""
    parts = action.id.split(".")
    for title, ids in PURPOSES:
        if action.id in ids.split() or parts[0] in ids.split():
            return title
    return OTHER


def is_brief(action: Action) -> bool:
    """Return whether the label of an action suffices in the help."""
    return action.id.startswith(BRIEF)
