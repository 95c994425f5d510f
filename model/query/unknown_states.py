"""States in a filter that no task has: most are misspelled or abbreviated."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import Final

from .condition import TextPattern
from .fields import STATE_NAMES
from .language import Problem, Query

_MAX_SUGGESTIONS: Final = 3


def unknown_states(query: Query, seen: Collection[str]) -> Iterator[Problem]:
    """Yield a problem for each term with a state that is neither Celery's nor a task's.

    Such a term is valid, as any name may be a custom state that a task will have later.

    Args:
        query: The filter.
        seen: The states of tasks so far.
    """
    names = dict.fromkeys([*STATE_NAMES, *seen])
    folded = {name.casefold() for name in names}
    for term in query.terms:
        if term.field != "state":
            continue
        for value in term.condition.values:
            if isinstance(value, TextPattern) and value.text.casefold() not in folded:
                yield Problem(term.start, term.end, _message(value.text, names))


def _message(state: str, names: Collection[str]) -> str:
    """Return what a state may have been meant to be; without an idea, all states."""
    low = state.casefold()
    near = [name for name in names if name.casefold().startswith(low)]
    near = near or [name for name in names if low in name.casefold()]
    if not near:
        folded = {name.casefold(): name for name in names}
        near = [folded[close] for close in difflib.get_close_matches(low, folded, n=1)]
    if near:
        return f"no task is in state {state}; did you mean {' or '.join(near[:_MAX_SUGGESTIONS])}?"
    return f"no task is in state {state}; states: {', '.join(names)}"
