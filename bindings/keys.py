"""The table of actions by context, and as text: for the help screen, the footer and the README."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .actions import ACTIONS, CONTEXT_TITLES, Action, Context

KEYS_BEGIN: Final = "<!-- keys -->"
KEYS_END: Final = "<!-- /keys -->"

_KEY_NAMES: Final = {
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "f1": "F1",
}


def key_name(key: str, *, ascii_only: bool = False) -> str:
    """Return a key as people write it: `esc`, `PgDn`, `ctrl+d`; arrows as such, or as words."""
    name = _KEY_NAMES.get(key, key)
    return name if name.isascii() or not ascii_only else key


def key_names(action: Action, *, ascii_only: bool = False) -> str:
    """Return all keys of an action, in one short text."""
    return " ".join(key_name(key, ascii_only=ascii_only) for key in action.keys)


def in_context(*contexts: Context) -> tuple[Action, ...]:
    """Return the actions of some contexts, in the table's order, each once."""
    return tuple(action for action in ACTIONS if set(action.contexts) & set(contexts))


def by_context(first: Iterable[Context] = ()) -> list[tuple[Context, tuple[Action, ...]]]:
    """Return the actions in sections: those of the contexts in `first` come first.

    Each action is listed once, in the first section that has it.
    """
    order: list[Context] = list(first)
    order += [context for context in CONTEXT_TITLES if context not in order]
    seen: set[str] = set()
    sections = []
    for context in order:
        actions = tuple(action for action in in_context(context) if action.id not in seen)
        seen.update(action.id for action in actions)
        if actions:
            sections.append((context, actions))
    return sections


def key_table() -> str:
    """Return the keys as a Markdown table, for the README."""
    lines = ["| Where | Key | What it does |", "| --- | --- | --- |"]
    for context, actions in by_context(("global", "list")):
        for action in actions:
            keys = " ".join(f"`{key_name(key)}`" for key in action.keys)
            lines.append(f"| {CONTEXT_TITLES[context]} | {keys} | {_cell(action.help)} |")
    return "\n".join(lines)


def with_key_table(document: str) -> str:
    """Return a document with the key table between its markers brought up to date.

    Raises:
        ValueError: The document has no markers.
    """
    before, begin, rest = document.partition(KEYS_BEGIN)
    _, end, after = rest.partition(KEYS_END)
    if not begin or not end:
        raise ValueError(f"no {KEYS_BEGIN} ... {KEYS_END} in the document")
    return f"{before}{KEYS_BEGIN}\n{key_table()}\n{KEYS_END}{after}"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")
