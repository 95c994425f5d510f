"""The visible rows and the cursor, while the rows change.

Cursor and anchor are ids, so the visible rows stay in place when rows arrive above them, unless the
user follows the newest row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Generic, Literal, TypeAlias, TypeVar

from .column import Rows

R = TypeVar("R")

Newest: TypeAlias = Literal["first", "last"]

Motion: TypeAlias = Literal[
    "down", "up", "page_down", "page_up", "half_down", "half_up", "top", "bottom"
]


class Viewport(Generic[R]):
    """A window of `height` rows, starting at the index `top`."""

    def __init__(self, rows: Rows[R], row_id: Callable[[R], str]) -> None:
        self.rows = rows
        self.row_id = row_id
        self.height = 0
        self.top = 0
        self.cursor_id: str | None = None
        self.cursor_index = 0
        self.follow = False
        self.resting = False
        """Whether it shows the first rows, and the cursor is on the first one, even if rows move:
        until a row is chosen."""
        self.pinned = False
        """Whether the cursor stays on its row while the newest rows are followed: as soon as a key
        was meant for that row. Following ends where it would leave the window."""
        self.newest: Newest | None = None
        """The end at which new rows arrive; None if they are sorted by something else."""
        self.seen: list[str] = []
        """The ids in the window after the last update: the rows that the user sees."""
        self._seen_top = 0

    @property
    def last_top(self) -> int:
        """The value of `top` at which the last row is at the bottom of the window."""
        return max(0, len(self.rows) - self.height)

    @property
    def unseen(self) -> int:
        """The number of rows beyond the window at the end where new ones arrive."""
        if self.newest == "first":
            return self.top
        return max(0, len(self.rows) - self.top - self.height)

    def settle(self) -> None:
        """Update cursor and top after the rows have changed."""
        if self.resting:
            self.place(0)
        elif self.follow and self.newest is not None:
            self._find_cursor()
            if self.pinned:
                self._follow_above_cursor()
            else:
                self._to_newest()
        elif self.follow:
            y = self.cursor_index - self.top
            self._find_cursor()
            self.top = self.cursor_index - max(0, min(y, self.height - 1))
        else:
            self.hold()
        self._look()

    def hold(self) -> None:
        """Move the window along with its rows, so that they stay where they were."""
        self.top += self._shift()
        self._find_cursor()
        self.top = max(0, min(self.top, self.last_top))

    def can_scroll(self, lines: int) -> bool:
        """Return whether there are rows beyond the window, below it or, if negative, above it."""
        return self.top < self.last_top if lines > 0 else self.top > 0

    def scroll(self, top: int) -> None:
        """Show the rows from `top` on; the cursor stays on its row.

        Following ends: it would scroll back to the newest row, or to the cursor's.
        """
        self.top = max(0, min(top, self.last_top))
        if self.follow and self.newest is not None:
            edge = 0 if self.newest == "first" else self.last_top
            self.follow = self.top == edge
        elif self.follow:
            self.follow = self.top <= self.cursor_index < self.top + self.height
        self._look()

    def move(self, motion: Motion) -> None:
        """Move the cursor, and the window just enough to show it."""
        self.resting = False
        self.hold()
        page, half = max(1, self.height - 1), max(1, self.height // 2)
        last = len(self.rows) - 1
        at = self.cursor_index
        target = {
            "down": at + 1,
            "up": at - 1,
            "page_down": at + page,
            "page_up": at - page,
            "half_down": at + half,
            "half_up": at - half,
            "top": 0,
            "bottom": last,
        }[motion]
        if self.follow and self.newest is not None:
            towards = "first" if target < at or motion == "top" else "last"
            at_end = target <= 0 if self.newest == "first" else target >= last
            if towards == self.newest and (at_end or not self.pinned):
                self.pinned = False
                self._to_newest()
                self._look()
                return
            self.follow = False
        if motion.startswith(("page", "half")):
            self.top += target - at
        self.place(target)

    def place(self, index: int) -> None:
        """Put the cursor on the row at an index (clamped) and bring it into the window."""
        count = len(self.rows)
        if not count:
            self._forget()
            return
        index = max(0, min(index, count - 1))
        self.cursor_index = index
        self.cursor_id = self.row_id(self.rows[index])
        self.top = max(index - self.height + 1, min(self.top, index))
        self.top = max(0, min(self.top, self.last_top))
        self._look()

    def pin(self, row_id: str | None) -> None:
        """Keep the cursor on a row, which is the one that a key was meant for."""
        self.resting = False
        if row_id is not None and self.rows.index(row_id) is not None:
            self.cursor_id = row_id
            self._find_cursor()
        self.pinned = True

    def restart(self) -> None:
        """Start with other rows or another order: at the cursor's row, else at the first row."""
        if self.follow and self.newest is not None:
            self.pinned = False
            self.settle()
            return
        y = self.cursor_index - self.top
        index = None if self.cursor_id is None else self.rows.index(self.cursor_id)
        if index is None or self.cursor_index == 0:
            self.top = 0
            self.place(0)
        else:
            self.top = index - y
            self.place(index)

    def _follow_above_cursor(self) -> None:
        newest = 0 if self.newest == "first" else self.last_top
        lowest, highest = self.cursor_index - self.height + 1, self.cursor_index
        self.top = max(0, lowest, min(newest, highest))
        self.follow = self.top == newest

    def _to_newest(self) -> None:
        count = len(self.rows)
        if not count:
            self._forget()
            return
        self.cursor_index = 0 if self.newest == "first" else count - 1
        self.cursor_id = self.row_id(self.rows[self.cursor_index])
        self.top = 0 if self.newest == "first" else self.last_top

    def _look(self) -> None:
        self.top = max(0, min(self.top, self.last_top))
        end = min(self.top + self.height, len(self.rows))
        self.seen = [self.row_id(self.rows[i]) for i in range(self.top, end)]
        self._seen_top = self.top

    def _shift(self) -> int:
        """Return how far most visible rows have moved; re-sorted single rows do not count.

        They may move below the first row of all, which stays in sight.
        """
        if not self.seen:
            return 0
        first, last = self._at(self._seen_top), self._at(self._seen_top + len(self.seen) - 1)
        if first == self.seen[0] and (self._seen_top == 0 or last == self.seen[-1]):
            return 0
        shifts: Counter[int] = Counter()
        for y, row_id in enumerate(self.seen):
            index = self.rows.index(row_id)
            if index is not None:
                shifts[index - self._seen_top - y] += 1
        if not shifts:
            return 0
        return max(shifts, key=lambda shift: (shifts[shift], -abs(shift)))

    def _at(self, index: int) -> str | None:
        return self.row_id(self.rows[index]) if 0 <= index < len(self.rows) else None

    def _find_cursor(self) -> None:
        if not len(self.rows):
            self._forget()
            return
        index = None if self.cursor_id is None else self.rows.index(self.cursor_id)
        if index is None:
            index = self._neighbour()
        self.cursor_index = index
        self.cursor_id = self.row_id(self.rows[index])

    def _neighbour(self) -> int:
        """Return the index of the nearest remaining neighbour of the vanished cursor row."""
        if self.cursor_id in self.seen:
            y = self.seen.index(self.cursor_id)
            for row_id in self.seen[y + 1 :] + self.seen[:y][::-1]:
                index = self.rows.index(row_id)
                if index is not None:
                    return index
        return max(0, min(self.cursor_index, len(self.rows) - 1))

    def _forget(self) -> None:
        self.cursor_id, self.cursor_index, self.top, self.seen = None, 0, 0, []
