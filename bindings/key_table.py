"""The keys as a Markdown table, and its place in the README."""

from __future__ import annotations

from ..document_sections import with_section
from .contexts import CONTEXT_TITLES
from .keymap import Keymap
from .keys import key_name


def key_table() -> str:
    """Return the default keys as a Markdown table, with the ids that the config file uses."""
    lines = ["| Where | Key | What it does | Action id |", "| --- | --- | --- | --- |"]
    for context, actions in Keymap().by_context(("global", "list")):
        for action in actions:
            keys = " ".join(f"`{key_name(key)}`" for key in action.keys)
            lines.append(
                f"| {CONTEXT_TITLES[context]} | {keys} | {_cell(action.help)} | `{action.id}` |"
            )
    return "\n".join(lines)


def with_key_table(document: str) -> str:
    """Return a document with the key table between its markers brought up to date.

    Raises:
        ValueError: The document has no markers.
    """
    return with_section(document, "keys", key_table())


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")
