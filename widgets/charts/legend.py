"""The legend of a chart: as many of its layers as fit, with their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ...model.text.sanitize import visible
from .plot import Cell

GAP: Final[Cell] = ("  ", "")
MAX_CUT_NAME: Final = 24
"""Characters of a name where there is no room for all."""


class Entry(NamedTuple):
    """A layer in the legend."""

    key: str
    """The character that stands for it."""
    name: str
    value: str
    style: str

    @property
    def is_zero(self) -> bool:
        """Whether its value is 0, in any unit."""
        return self.value.startswith("0") and not self.value.startswith("0.")

    @property
    def cells(self) -> list[Cell]:
        """Its cells."""
        return [(f"{self.key} ", self.style), (f"{self.name} {self.value}".strip(), "axis")]

    @property
    def size(self) -> int:
        """The number of characters."""
        return sum(len(text) for text, _ in self.cells)


def legend(entries: Sequence[Entry], time: str, width: int) -> list[Cell]:
    """Return the cells of a legend.

    Where all do not fit, long names are cut, then layers that are 0 are left out, then the last
    ones lose their values, or are left out, but failures never.

    Args:
        entries: The layers.
        time: The time of the cursor; empty without one.
        width: In cells.
    """
    room = width - (len(time) + len(GAP[0]) if time else 0)
    if sum(entry.size + len(GAP[0]) for entry in entries) - len(GAP[0]) > room:
        entries = [entry._replace(name=visible(entry.name, MAX_CUT_NAME)) for entry in entries]
    kept: list[int] = []
    for number in sorted(range(len(entries)), key=lambda number: _rank(entries[number])):
        size = entries[number].size
        if size <= room or not kept:
            kept.append(number)
            room -= size + len(GAP[0])
    entries = list(entries)
    for number, entry in enumerate(entries):
        named = entry._replace(value="")
        if number not in kept and not entry.is_zero and named.size <= room:
            entries[number] = named
            kept.append(number)
            room -= named.size + len(GAP[0])
    groups = [entries[number].cells for number in sorted(kept)]
    if time:
        groups.append([(time, "cursor")])
    return [cell for cells in groups for cell in (*cells, GAP)][:-1]


def _rank(entry: Entry) -> int:
    if entry.is_zero:
        return 2
    return 0 if entry.style == "failed" else 1
