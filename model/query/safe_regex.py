"""Regular expressions that cannot hang the screen.

Python's `re` backtracks and cannot be interrupted: `(a+)+$` takes years on forty letters. So a
pattern is checked before it is compiled, and limits how much of a text is searched:

- repeats of variable parts (`(a+)+`, `(a|b)*`, `(a?){9}`) are refused as exponential;
- so are more than MAX_OPTIONAL optional parts (`?`, `{1,3}`, groups of alternatives) and more than
  four open repeats (`*`, `+`, `{2,}`);
- the first 1,024 characters of a text are searched, 512 with two open repeats, 128 with three, 64
  with four: the remaining polynomial time is at most half a second for the worst text. A leading
  or trailing `.*` costs nothing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

MAX_OPTIONAL: Final = 6
"""Optional parts in a pattern."""
MAX_PATTERN: Final = 500
"""Characters in a pattern."""

_MAX_SEARCHED: Final = (1024, 1024, 512, 128, 64)
"""Characters of a text that are searched, by the number of open repeats."""

_MAX_SMALL_REPEAT: Final = 8
"""Repetitions of a bounded repeat that counts as an optional part; above, as an open repeat."""

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
    """Return a test whether a pattern matches anywhere in a text, ignoring case.

    Raises:
        ValueError: It is not a regular expression, or could take too long; the message is meant
            for the person who typed it.
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
    """Return the number of open repeats; raise ValueError if they could take too long."""
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"the pattern is longer than {MAX_PATTERN} characters")
    if _VERBOSE.search(pattern):
        raise ValueError("the flag x is not supported")
    open_repeats = optional = 0
    groups = [_Group()]
    closed: _Group | None = None
    """The group that ended immediately before this token."""
    for token in _TOKEN.finditer(pattern):
        before, closed = closed, None
        if token["repeat"]:
            repeat = _repeat(token)
            if before is not None and before.varies and repeat.again:
                raise ValueError("nested repeats could take forever; rewrite without nesting")
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
        raise ValueError("too many repeats could take forever; use several terms")
    return open_repeats


@dataclass(slots=True)
class _Group:
    varies: bool = False
    """Whether it can match a text in several ways."""
    alternatives: bool = False


class _Repeat(NamedTuple):
    again: bool
    """Whether its part can match more than once."""
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
