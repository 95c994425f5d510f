"""Regular expressions that cannot hang the screen.

Python's `re` backtracks and cannot be interrupted: `(a+)+$` needs years on forty letters. So a
pattern is judged before it is compiled, and how much of a text it gets to see depends on it:

- a repeat of something that itself varies (`(a+)+`, `(a|b)*`, `(a?){9}`) is refused: exponential;
- so are more than MAX_OPTIONAL optional parts (`?`, `{1,3}`, groups of alternatives) and more than
  four open repeats (`*`, `+`, `{2,}`);
- it sees the first 1,024 characters of a text, with two open repeats 512, with three 128, with
  four 64: the polynomial that is left then ends within half a second on the worst of texts, and
  at once on usual ones. A leading or trailing `.*` costs nothing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

MAX_OPTIONAL: Final = 6
MAX_PATTERN: Final = 500
"""Characters in a pattern."""

_MAX_SEARCHED: Final = (1024, 1024, 512, 128, 64)
"""Characters of a text that a pattern sees, by its number of open repeats."""

_MAX_SMALL_REPEAT: Final = 8
"""A bounded repeat up to this counts as an optional part, above it as an open one."""

_TOKEN: Final = re.compile(
    r"""
      (?P<escape>\\.)
    | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<open>\(\??)
    | (?P<close>\))
    | (?P<either>\|)
    | (?P<repeat>(?:[*+?]|\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\})[?+]?)
    | (?P<literal>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_NEEDLESS_START: Final = re.compile(r"(?:\.\*\??)+(?![?+*{])")
_NEEDLESS_END: Final = re.compile(r"(?<!\\)(?:\.\*\??)+\Z")
_VERBOSE: Final = re.compile(r"\(\?[a-zA-Z]*x")


def safe_search(pattern: str) -> Callable[[str], bool]:
    """Return a test whether the pattern, in any case, is found in a text.

    Raises:
        ValueError: It is no regular expression, or one that could take too long. The message
            says which, in words for the person who typed it.
    """
    pattern = _NEEDLESS_START.sub("", pattern, count=1) if pattern.startswith(".*") else pattern
    pattern = _NEEDLESS_END.sub("", pattern)
    reach = _MAX_SEARCHED[_count_open_repeats(pattern)]
    try:
        with warnings.catch_warnings():
            # A half-typed set such as `[[` warns on stderr, which is the screen.
            warnings.simplefilter("ignore")
            search = re.compile(pattern, re.IGNORECASE).search
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return lambda text: search(text[:reach]) is not None


def _count_open_repeats(pattern: str) -> int:
    """Return the number of open repeats; raise ValueError where they could take too long."""
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"longer than {MAX_PATTERN} characters")
    if _VERBOSE.search(pattern):
        raise ValueError("the flag x is not supported")
    open_repeats = optional = 0
    groups = [_Group()]
    closed: _Group | None = None
    """The group that ended just before this token."""
    for token in _TOKEN.finditer(pattern):
        before, closed = closed, None
        if token["repeat"]:
            repeat = _repeat(token)
            if before is not None and before.varies and repeat.again:
                raise ValueError("a repeat inside a repeat can take for ever: write it flat")
            open_repeats += repeat.open_end
            optional += repeat.varies and not repeat.open_end
            groups[-1].varies |= repeat.varies
        elif token["open"]:
            groups.append(_Group())
        elif token["either"]:
            groups[-1].alternatives = True
        elif token["close"] and len(groups) > 1:
            closed = groups.pop()
            optional += closed.alternatives
            closed.varies |= closed.alternatives
            groups[-1].varies |= closed.varies
    if open_repeats >= len(_MAX_SEARCHED) or optional > MAX_OPTIONAL:
        raise ValueError("too many repeats: it can take for ever; use several terms")
    return open_repeats


@dataclass(slots=True)
class _Group:
    varies: bool = False
    """Whether one text can match it in several ways."""
    alternatives: bool = False


class _Repeat(NamedTuple):
    again: bool
    """Whether it lets its part match more than once."""
    varies: bool
    open_end: bool


def _repeat(token: re.Match[str]) -> _Repeat:
    sign = token["repeat"][0]
    if sign == "?":
        return _Repeat(again=False, varies=True, open_end=False)
    if sign in "*+" or (token["comma"] and not token["most"]):
        return _Repeat(again=True, varies=True, open_end=True)
    least = int(token["least"] or 0)
    most = int(token["most"]) if token["comma"] else least
    return _Repeat(most > 1, varies=most != least, open_end=most - least > _MAX_SMALL_REPEAT)
