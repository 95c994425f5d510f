"""Shares the lines of a column among its panes. Pure: no widgets."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HOLD: Final = 30.0
"""Seconds that a pane keeps its height when its list has become shorter."""


@dataclass(frozen=True, slots=True)
class Need:
    """The content of a pane if there were room."""

    rows: int
    """Lines of content; 0 if there is nothing to show except one line for this."""
    frame: int = 3
    """Lines around the content: borders and column titles."""
    least: int = 2
    """Fewest lines of content for which a frame is worth its lines."""
    fills: bool = False
    """Whether it can use any number of further lines."""
    spare: bool = False
    """Whether it is shown only in lines that no other pane can use."""
    whole: int | None = None
    """Lines of all its content if it fills; None if it can use any number of them."""


def heights(needs: Mapping[str, Need], room: int) -> dict[str, int]:
    """Share `room` lines among panes, given in the order of their importance.

    A pane without content, or for which there is no room, takes one line. The others get a frame,
    then each next line goes to the one that shows the fewest rows of a list that is cut; then those
    that can use more lines get all their content. What is left goes to the panes that can use any
    number of lines, otherwise to the most important list.
    """
    extra = [name for name, need in needs.items() if need.spare]
    needs = {name: need for name, need in needs.items() if not need.spare} | {
        name: needs[name] for name in extra
    }
    last = len(needs) - len(extra)
    given = {name: int(number < min(room, last)) for number, name in enumerate(needs)}
    spare = room - sum(given.values())
    opened = []
    for name, need in needs.items():
        lines = need.frame + min(need.least, need.rows) - 1
        if need.rows and given[name] and lines <= spare:
            given[name] += lines
            spare -= lines
            opened.append(name)

    def missing(name: str, *, whole: bool = False) -> int:
        """Return the lines of content that a pane lacks."""
        need = needs[name]
        lines = max(need.rows, need.whole or 0) if whole and need.fills else need.rows
        return need.frame + lines - given[name]

    for whole in (False, True):
        while spare > 0:
            cut = [name for name in opened if missing(name, whole=whole) > 0]
            if not cut:
                break
            given[min(cut, key=lambda name: given[name] - needs[name].frame)] += 1
            spare -= 1
    for name in extra:
        lines = needs[name].frame + needs[name].least
        if needs[name].rows and spare >= lines:
            given[name] = lines
            spare -= lines
            opened.append(name)
    fills = [name for name in opened if needs[name].fills]
    takers = (
        [name for name in fills if needs[name].whole is None or missing(name, whole=True) > 0]
        or fills
        or opened[:1]
    )
    for number, name in enumerate(takers):
        part = spare // (len(takers) - number)
        given[name] += part
        spare -= part
    return given


def blank_lines(needs: Mapping[str, Need], room: int) -> int:
    """Return the lines of a column that its panes leave blank."""
    if any(need.fills and need.whole is None for need in needs.values()):
        return 0
    used = sum(need.frame + max(need.rows, need.whole or 0) for need in needs.values())
    return max(0, room - used)


class Peak:
    """The largest number of the last `HOLD` seconds, so that panes do not jump."""

    def __init__(self) -> None:
        self._falling: deque[tuple[float, int]] = deque()

    def update(self, number: int, now: float) -> int:
        """Take the number at an epoch time in seconds; return the largest one."""
        falling = self._falling
        while falling and (falling[-1][1] <= number or falling[-1][0] > now):
            falling.pop()
        falling.append((now, number))
        while falling[0][0] < now - HOLD:
            falling.popleft()
        return falling[0][1]
