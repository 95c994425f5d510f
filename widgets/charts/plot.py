"""Draws layers of values over time as cells: filled and stacked areas, and lines over them.

A cell has eight parts above each other, in ASCII two. Every value above 0 takes at least one part,
so that rare failures show; braille would have two columns in a cell, but only one colour. Lines are
drawn in braille by plotext (`curve`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan, nan
from types import ModuleType
from typing import Final, TypeAlias

from ..glyphs import Glyphs
from .curve import COLUMNS, EMPTY, curve

Cell: TypeAlias = tuple[str, str]
"""A character and its style: the name of a layer's, or `lower/upper` for that of two layers."""

BLANK: Final[Cell] = (" ", "")

_LAYER_FILLS: Final = ("▒", "▓", "░", "▚")
_ASCII_FILLS: Final = ("#", "+", "x", "o", "*", "=")
_ASCII_HALF: Final = "."
_LINES: Final = "▁▁▁───▔▔"
"""A line in each part of a cell, from the bottom."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One area of a chart, or a line over the areas."""

    name: str
    values: Sequence[float]
    """One for each step of the chart, oldest first; NaN is unknown and drawn blank."""
    style: str
    """The name of its style."""
    is_line: bool = False
    nothing_in: frozenset[int] = frozenset()
    """The steps whose value is not unknown, but there is none, as in that of no tasks."""
    is_over_areas: bool = False
    """Whether the line is also drawn where areas are."""


def fill(layer: int, glyphs: Glyphs, *, coloured: bool) -> str:
    """Return the character that stands for a layer in a legend, and in areas without colour."""
    if glyphs.name == "ascii":
        return _ASCII_FILLS[layer % len(_ASCII_FILLS)]
    if coloured or not layer:
        return glyphs.bar[-1]
    return _LAYER_FILLS[(layer - 1) % len(_LAYER_FILLS)]


def highest(layers: Sequence[Layer]) -> float:
    """Return the highest value of a chart, stacked; 0 if none is known."""
    areas = [layer.values for layer in layers if not layer.is_line]
    lines = [value for layer in layers if layer.is_line for value in layer.values]
    sums = [sum(_known(values)) for values in zip(*areas, strict=True)]
    return max([0.0, *sums, *_known(lines)])


def drawn_steps(layers: Sequence[Layer], columns: int, *, newest_alone: bool = False) -> list[int]:
    """Return the number of the step that each of `columns` columns draws.

    Of several steps in one column that with the highest sum is drawn, so that no peak is lost. If
    `newest_alone`, the last column draws the newest step, whose value is in the legend.
    """
    size = len(layers[0].values) if layers else 0
    if not size or columns <= 0:
        return []
    if size <= columns:
        return [column * size // columns for column in range(columns)]
    sums = [sum(_known(values)) for values in zip(*(one.values for one in layers), strict=True)]
    edges = [size * column // columns for column in range(columns + 1)]
    if newest_alone and columns > 1:
        edges[-2] = size - 1
    return [
        max(range(low, high), key=lambda step: (sums[step], step)) for low, high in pairwise(edges)
    ]


def fitted(
    layers: Sequence[Layer], columns: int, *, newest_alone: bool = False
) -> list[list[float]]:
    """Return the values of each layer for exactly `columns` columns: see `drawn_steps`."""
    steps = drawn_steps(layers, columns, newest_alone=newest_alone)
    if not steps:
        return [[nan] * max(0, columns) for _ in layers]
    return [[layer.values[step] for step in steps] for layer in layers]


def plot(
    layers: Sequence[Layer], width: int, rows: int, top: float, glyphs: Glyphs, *,
    coloured: bool = True, plotext: ModuleType | None = None, newest_alone: bool = False,
) -> list[list[Cell]]:  # fmt: skip
    """Return lines of cells, the highest first; empty cells are `BLANK`.

    Args:
        layers: Stacked in this order; lines lie over all areas, at their own height.
        width: In cells.
        rows: Lines.
        top: The value at the upper edge.
        glyphs: The characters to draw with.
        coloured: Whether the styles of the layers differ; otherwise their characters do.
        plotext: The module, once it is imported; unused in ASCII.
        newest_alone: Whether the last column draws the newest step alone.
    """
    parts = 2 if glyphs.name == "ascii" else 8
    values = fitted(layers, width, newest_alone=newest_alone)
    scale = top if top > 0 else 1.0
    lines: list[list[Cell]] = [[BLANK] * width for _ in range(rows)]
    areas = [(layer, values[at]) for at, layer in enumerate(layers) if not layer.is_line]
    cells = _Cells([layer.style for layer, _ in areas], parts, glyphs, coloured=coloured)
    for x, column in enumerate(zip(*(known for _, known in areas), strict=True)):
        bounds = _bounds(column, scale, rows * parts)
        for row in range(-(-bounds[-1] // parts)):
            lines[rows - 1 - row][x] = cells.cell(bounds, row * parts)
    for layer, known in zip(layers, values, strict=True):
        if layer.is_line and plotext is not None and parts == 8:
            drawn = curve(plotext, _dots(layer, width), width, rows, scale)
            _draw_curve(lines, drawn, layer.style, over_areas=layer.is_over_areas)
        elif layer.is_line:
            _draw_line(lines, known, scale, parts, layer.style)
    return lines


def _known(values: Sequence[float]) -> list[float]:
    return [value for value in values if not isnan(value)]


def _bounds(values: Sequence[float], top: float, parts: int) -> list[int]:
    """Return the upper edge of each layer, at least a part above the last if it is not 0."""
    bounds: list[int] = []
    total = 0.0
    edge = 0
    for value in values:
        if value > 0.0:  # not NaN
            total += value
            edge = max(edge + 1, round(total / top * parts))
        bounds.append(edge)
    over = edge - parts
    if over > 0:  # the layers above take parts from those below
        bounds = [max(0, bound - over) if bound < edge else parts for bound in bounds]
    return bounds


class _Cells:
    """Draws single cells of stacked areas."""

    def __init__(
        self, styles: Sequence[str], parts: int, glyphs: Glyphs, *, coloured: bool
    ) -> None:
        self._styles = styles
        self._parts = parts
        self._columns = glyphs.sparks if parts == 8 else (" ", _ASCII_HALF, "#")
        self._blends = coloured and parts == 8
        # The background fills the gap that some terminals leave between lines.
        self._whole = [
            (fill(layer, glyphs, coloured=coloured), f"{style}/{style}" if self._blends else style)
            for layer, style in enumerate(styles)
        ]

    def cell(self, bounds: Sequence[int], base: int) -> Cell:
        """Draw the cell above `base`, given the upper edge of each layer.

        A cell has two colours at most: where it has more layers, it shows the two highest, and at
        the upper edge of the area the highest alone.
        """
        above = base + self._parts
        layer = below = 0
        for number, bound in enumerate(bounds):
            if bound > base and (number == 0 or bound > bounds[number - 1]):
                layer, below = number, bounds[number - 1] if number else 0
            if bound >= above:
                break
        lit = min(bounds[-1], above) - base
        if lit < self._parts:
            if self._blends or not layer:
                return self._columns[lit], self._styles[layer]
            return self._whole[layer]
        if below <= base or not self._blends:
            return self._whole[layer]
        lower = next(number for number, bound in enumerate(bounds) if bound >= below)
        return self._columns[below - base], f"{self._styles[lower]}/{self._styles[layer]}"


def _dots(layer: Layer, width: int) -> Sequence[float]:
    """Return the values of a line, at most one for each column of dots."""
    dots = width * COLUMNS
    return layer.values if len(layer.values) <= dots else fitted([layer], dots)[0]


def _draw_curve(
    lines: list[list[Cell]], drawn: Sequence[str], style: str, *, over_areas: bool
) -> None:
    """Add a curve where no area is, or also over cells that one area fills."""
    for line, text in zip(lines, drawn, strict=True):
        for x, character in enumerate(text):
            if character in EMPTY:
                continue
            lower, _, upper = line[x][1].partition("/")
            if line[x] == BLANK:
                line[x] = (character, style)
            elif over_areas and lower == upper:
                line[x] = (character, f"{style}/{upper}")


def _draw_line(
    lines: list[list[Cell]], values: Sequence[float], top: float, parts: int, style: str
) -> None:
    """Draw a line where no area is."""
    for x, value in enumerate(values):
        if isnan(value):
            continue
        at = min(len(lines) * parts - 1, max(0, round(value / top * len(lines) * parts) - 1))
        row, part = divmod(at, parts)
        line = lines[len(lines) - 1 - row]
        if line[x] == BLANK:
            line[x] = (_LINES[part] if parts == 8 else "-", style)
