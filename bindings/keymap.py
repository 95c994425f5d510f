"""The keys of every action: the defaults, with those of a keymap or a config file on top."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from .action import Action
from .actions import ACTIONS
from .contexts import ACTIVE_TOGETHER, CONTEXT_TITLES, TYPING, Context
from .keys import key_name, parse_key

Keys: TypeAlias = str | Sequence[str]
"""One key, several, or none (an empty text or list), as people write them."""


class KeymapError(Exception):
    """Keys that cannot be used for an action; the message gives the reason and the remedy."""

    def __init__(self, reason: str, action: str = "") -> None:
        super().__init__(reason)
        self.action = action


@dataclass(frozen=True, slots=True)
class Keymap:
    """Every action with its keys. A value: made once at start-up and never changed."""

    actions: tuple[Action, ...] = ACTIONS

    def __getitem__(self, action: str) -> Action:
        """Return an action by its id."""
        return next(each for each in self.actions if each.id == action)

    def key(self, action: str, *, ascii_only: bool = False) -> str:
        """Return an action's first key as people write it; empty if it has none."""
        keys = self[action].keys
        return key_name(keys[0], ascii_only=ascii_only) if keys else ""

    def in_context(self, *contexts: Context) -> tuple[Action, ...]:
        """Return the actions of some contexts, in the table's order, each once."""
        return tuple(each for each in self.actions if not set(contexts).isdisjoint(each.contexts))

    def by_context(self, first: Iterable[Context] = ()) -> list[tuple[Context, tuple[Action, ...]]]:
        """Return the actions in sections, those of the contexts in `first` before all others.

        Each action is listed once, in the first section that has it.
        """
        order: list[Context] = list(first)
        order += [context for context in CONTEXT_TITLES if context not in order]
        seen: set[str] = set()
        sections = []
        for context in order:
            actions = tuple(each for each in self.in_context(context) if each.id not in seen)
            seen.update(action.id for action in actions)
            if actions:
                sections.append((context, actions))
        return sections

    def remapped(self, keys: Mapping[str, Keys]) -> Keymap:
        """Return a keymap in which some actions, by id, have other keys.

        Raises:
            KeymapError: An id or a key is unknown, or a key has two meanings in one place.
        """
        actions = {action.id: action for action in self.actions}
        for id_, wanted in keys.items():
            if id_ not in actions:
                near = difflib.get_close_matches(id_, actions, n=1)
                advice = f"did you mean {near[0]!r}?" if near else "`celtop config keys` lists all"
                raise KeymapError(f"unknown action {id_!r}; {advice}", id_)
            try:
                texts = (wanted,) if isinstance(wanted, str) else wanted
                parsed = tuple(parse_key(text) for text in texts if text != "")
            except (TypeError, ValueError) as error:
                raise KeymapError(f"{id_}: {error}", id_) from error
            actions[id_] = replace(actions[id_], keys=parsed)
        for id_ in keys:
            _check(actions[id_], actions.values())
        return Keymap(tuple(actions.values()))


@lru_cache(maxsize=8)
def keymap_while_typing(keymap: Keymap, context: Context) -> Keymap:
    """Return a keymap in which only the actions of a typed line have keys: others type text."""
    return Keymap(
        tuple(
            action if action.priority or context in action.contexts else replace(action, keys=())
            for action in keymap.actions
        )
    )


def _check(action: Action, actions: Iterable[Action]) -> None:
    for key in action.keys:
        if (len(key) == 1 or key == "space") and not TYPING.isdisjoint(action.contexts):
            raise KeymapError(
                f"{action.id}: {key!r} types a character there; choose a key such as 'ctrl+x'",
                action.id,
            )
        for other in actions:
            if other.id != action.id and key in other.keys and _active_together(action, other):
                raise KeymapError(
                    f"{action.id}: {key!r} is also a key of {other.id}; change one of them",
                    action.id,
                )


def _active_together(one: Action, other: Action) -> bool:
    return (
        one.priority
        or other.priority
        or any(
            set(group) & set(one.contexts) and set(group) & set(other.contexts)
            for group in ACTIVE_TOGETHER
        )
    )
