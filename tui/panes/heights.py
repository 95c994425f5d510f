"""Shares the lines of a column among its panes. Pure: no widgets."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HOLD: Final = 30.0
"""Seconds that a pane keeps its height when its list has become shorter, if there is room."""
SHORT_HOLD: Final = 5.0
"""The same if other lists are cut."""


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
    held: int = 0
    """Lines of content that it had before, if more: lists that are cut get them first."""

    @property
    def kept(self) -> int:
        """Lines of content that it has or had."""
        return max(self.rows, self.held)

    @property
    def most(self) -> int:
        """Lines of all content that it can use before others take any number of them."""
        return max(self.kept, self.whole or 0) if self.fills else self.kept


def heights(needs: Mapping[str, Need], room: int) -> dict[str, int]:
    """Share `room` lines among panes, given in the order of their importance.

    A pane without content, or for which there is no room, takes one line. The others get a frame,
    then each next line goes to the one that shows the fewest rows of a list that is cut; then lists
    that have become shorter keep their lines; then those that can use more lines get all their
    content. What is left goes to the panes that can use any number of lines, otherwise to the most
    important list.
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
        lines = need.frame + min(need.least, need.kept) - 1
        if need.kept and given[name] and lines <= spare:
            given[name] += lines
            spare -= lines
            opened.append(name)

    def content(name: str) -> int:
        return given[name] - needs[name].frame

    for wanted in (
        {name: needs[name].rows for name in opened},
        {name: needs[name].kept for name in opened},
        {name: needs[name].most for name in opened},
    ):
        while spare > 0:
            cut = [name for name in opened if content(name) < wanted[name]]
            if not cut:
                break
            given[min(cut, key=content)] += 1
            spare -= 1
    for name in extra:
        lines = needs[name].frame + needs[name].least
        if needs[name].rows and spare >= lines:
            given[name] = lines
            spare -= lines
            opened.append(name)
    fills = [name for name in opened if needs[name].fills]
    takers = (
        [name for name in fills if needs[name].whole is None or content(name) < needs[name].most]
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
    """The largest number of the last seconds, so that panes do not jump."""

    def __init__(self, hold: float = HOLD) -> None:
        self._hold = hold
        self._falling: deque[tuple[float, int]] = deque()

    def update(self, number: int, now: float) -> int:
        """Take the number at an epoch time in seconds; return the largest one."""
        falling = self._falling
        while falling and (falling[-1][1] <= number or falling[-1][0] > now):
            falling.pop()
        falling.append((now, number))
        while falling[0][0] < now - self._hold:
            falling.popleft()
        return falling[0][1]
