"""Which columns of a table fit into a width, and how wide each of them is.

The widths follow the content: a column whose cells are all short, or all unknown, gives its room to
those that would be cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from .column import GAP, Column, Placed
from .needs import Needs

R = TypeVar("R")

MIN_WIDTH: Final = 4
"""A column that would be narrower is left out instead."""
NAME_WIDTH: Final = 32
NAME_PERCENT: Final = 35
MAX_NAME_WIDTH: Final = 60
"""The cells that a name takes, if it needs them, before other columns are shown: a number, or a
share of a wide table up to a number of cells."""
TEXT_PERCENT: Final = 20
"""The share of the width that a text of any length, such as a result, takes before other texts are
whole, unless it is always shown; at least as many cells as a name."""
MAIN_PRIORITY: Final = 2
"""The lowest priority of the columns whose texts are whole before those of the others."""
SMALL_GAP: Final = 6
"""Cells that a text of the others may lack to be whole as early."""
NAME_PRIORITY: Final = 1
"""The lowest priority of the columns that are not left out for a name."""
MAX_BLANK: Final = 16
"""Blank cells after the longest name; further ones are shared by the columns to its right."""


def arrange(
    columns: Sequence[Column[R]],
    width: int,
    *,
    wide: bool = False,
    offset: int = 0,
    needs: Needs | None = None,
) -> list[Placed[R]]:
    """Choose the columns that fit in `width` cells, and place them.

    Columns that show nothing are left out. If the others do not fit: they shrink to what their
    cells need, then those without any information are left out, then brief columns take their
    narrow width, then from the highest priority on columns take their narrow width or are left out,
    also for names that would be cut, then the growing ones shrink. What remains goes to cells that
    are cut, then to graphs, then to the growing columns; what names do not need of it, to all
    columns. If wide, or scrolled by `offset` columns: all in their order, the first always shown,
    the last one cut.
    """
    candidates = [column for column in columns if wide or not column.wide_only]
    if offset or wide:
        chosen, widths = _scrolled(candidates, width, offset)
    elif needs is None:
        chosen, widths = _chosen(candidates, width)
    else:
        chosen, widths = _fitted(candidates, width, needs)
    _widen_graphs(chosen, widths, width)
    _grow(chosen, widths, width)
    if needs is not None and not (wide or offset):
        _spread(chosen, widths, needs)
    if not (wide or offset):
        _make_equal(chosen, widths)
    placed: list[Placed[R]] = []
    x = 0
    for column, column_width in zip(chosen, widths, strict=True):
        placed.append(Placed(column, x, column_width))
        x += column_width + GAP
    return placed


def _make_equal(chosen: Sequence[Column[R]], widths: list[int]) -> None:
    """Share the cells of the columns that are equally wide; the first of all has what is left."""
    equal = [place for place, column in enumerate(chosen) if column.equal]
    if len(equal) > 1:
        width, left = divmod(sum(widths[place] for place in equal), len(equal))
        for place in equal:
            widths[place] = width
        widths[0] += left


def are_hidden(
    columns: Sequence[Column[R]],
    placed: Sequence[Placed[R]],
    width: int,
    offset: int,
    *,
    wide: bool,
    needs: Needs | None = None,
) -> bool:
    """Return whether there are columns to the right of those that are shown."""
    if offset or wide:
        return offset < last_offset(columns, width, wide=wide)
    candidates = [column for column in columns if not column.wide_only]
    return len(placed) < len(candidates if needs is None else _not_empty(candidates, needs))


def last_offset(columns: Sequence[Column[R]], width: int, *, wide: bool) -> int:
    """Return how many columns can be scrolled away until the last one is fully visible."""
    candidates = [column for column in columns if wide or not column.wide_only]
    if not candidates or _total([column.width for column in candidates]) <= width:
        return 0
    room = width - candidates[0].width - GAP
    shown = 0
    for column in reversed(candidates[1:]):
        room -= column.width
        if room < 0:
            break
        room -= GAP
        shown += 1
    return max(0, len(candidates) - 1 - max(1, shown))


def needed_widths(columns: Sequence[Column[R]], needs: Needs) -> tuple[int, int]:
    """Return the cells in which no name is cut, and those in which no text is.

    Columns for wide mode are left out.
    """
    kept = [one for one in columns if not one.wide_only and one.id not in needs.blank]
    name = _name_of(kept)
    if name is None:
        return 0, _total([_need(one, needs) for one in kept])
    whole = _need(name, needs)
    # A longer name is cut before any column is left out for it.
    least = NAME_PRIORITY if whole <= NAME_WIDTH else max(one.priority for one in kept)
    beside = [one for one in kept if one.priority <= least and one is not name]
    names = _total([whole, *(min(one.width, _need(one, needs)) for one in beside)])
    return names, _total([_need(one, needs) for one in kept])


def _name_of(columns: Iterable[Column[R]]) -> Column[R] | None:
    """Return the column of names: the first that grows and is always shown."""
    return next((one for one in columns if one.grow and not one.priority), None)


def _need(column: Column[R], needs: Needs) -> int:
    if column.fixed:
        return column.width
    return max(needs.widths.get(column.id, column.width), len(column.title))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(0, len(widths) - 1)


def _fitted(
    candidates: list[Column[R]], width: int, needs: Needs
) -> tuple[list[Column[R]], list[int]]:
    """Choose columns by what their cells need, if not every cell is whole anyway."""

    def need(column: Column[R]) -> int:
        return _need(column, needs)

    candidates = _not_empty(candidates, needs)
    chosen, widths = _chosen(candidates, width)
    whole = chosen, widths.copy()
    _grow(*whole, width)
    if len(chosen) == len(candidates) and all(map(lambda c, w: need(c) <= w, *whole)):
        return chosen, list(map(max, map(need, chosen), widths))
    kept = list(candidates)
    blank = [column for column in kept if column.id in needs.blank and column.priority]
    for column in sorted(blank, key=lambda column: -column.priority):
        if _total([need(one) for one in kept]) > width:
            kept.remove(column)
    fitting = [
        replace(
            column,
            width=min(column.width, need(column)),
            narrow_width=column.narrow_width and min(column.narrow_width, need(column)),
        )
        for column in kept
    ]
    chosen, widths = _named(fitting, width, need)
    for i, one in enumerate(chosen):
        if one.brief and one.narrow_width is not None:
            widths[i] = min(widths[i], one.narrow_width)
    spare = width - _total(widths)
    # Texts of any length are whole after all others, then a very long name, and then an id.
    name, room = _name_of(chosen), _name_room(width)
    wanted = list(map(need, chosen))
    named = [
        0 if one.brief else min(cells, room) if one is name else cells
        for one, cells in zip(chosen, wanted, strict=True)
    ]
    first = [min(cells, _first_room(one, width)) for one, cells in zip(chosen, named, strict=True)]
    for needed in (first, named, wanted):
        missing = [max(0, cells - given) for cells, given in zip(needed, widths, strict=True)]
        for i in sorted(
            range(len(chosen)),
            key=lambda i: (
                chosen[i].brief,
                chosen[i].priority > MAIN_PRIORITY and missing[i] > SMALL_GAP,
                missing[i],
            ),
        ):
            more = min(spare, missing[i])
            widths[i] += more
            spare -= more
    return chosen, widths


def _first_room(column: Column[R], width: int) -> int:
    """Return the cells that a text takes before those of other columns are whole."""
    if column.grow and column.priority:
        return max(NAME_WIDTH, width * TEXT_PERCENT // 100)
    return width


def _name_room(width: int) -> int:
    """Return the cells that a long name takes before other texts are whole."""
    return min(MAX_NAME_WIDTH, max(NAME_WIDTH, width * NAME_PERCENT // 100))


def _named(
    candidates: list[Column[R]], width: int, need: Callable[[Column[R]], int]
) -> tuple[list[Column[R]], list[int]]:
    """Choose columns; rather than cut the names, leave out those that matter least."""
    name = _name_of(candidates)
    if name is None:
        return _chosen(candidates, width)
    needed = min(need(name), _name_room(width))
    others = [one.width for one in candidates if one is not name and one.priority <= NAME_PRIORITY]
    room = min(needed, width - _total([0, *others]))
    if room <= (name.narrow_width or name.width):
        return _chosen(candidates, width)
    roomy = replace(name, width=room, narrow_width=None)
    return _chosen([roomy if one is name else one for one in candidates], width)


def _not_empty(candidates: list[Column[R]], needs: Needs) -> list[Column[R]]:
    """Return the columns without those that show nothing."""
    return [one for one in candidates if not one.priority or one.id not in needs.empty]


def _chosen(candidates: list[Column[R]], width: int) -> tuple[list[Column[R]], list[int]]:
    chosen = list(candidates)
    widths = [column.width for column in chosen]

    def narrows(i: int) -> bool:
        narrow = chosen[i].narrow_width
        return narrow is not None and narrow < widths[i]

    if _total(widths) > width:
        for i in range(len(chosen)):
            if chosen[i].brief and narrows(i):
                widths[i] = chosen[i].narrow_width or 0
    while _total(widths) > width:
        yielding = [i for i in range(len(chosen)) if narrows(i) or (i and chosen[i].priority)]
        if not yielding:
            break
        least = max(yielding, key=lambda i: (chosen[i].priority, narrows(i), i))
        if narrows(least):
            widths[least] = chosen[least].narrow_width or 0
        else:
            del chosen[least], widths[least]
    _widen(chosen, widths, width)
    _shrink(chosen, widths, width)
    while _total(widths) > width and len(chosen) > 1:
        overflow = _total(widths) - width
        if widths[-1] - overflow >= MIN_WIDTH:
            widths[-1] -= overflow
        else:
            del chosen[-1], widths[-1]
    if widths:
        widths[0] = max(0, min(widths[0], width))
    return chosen, widths


def _widen(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    """Restore the width of narrowed columns if the columns left out made enough room."""
    for i in sorted(range(len(chosen)), key=lambda i: chosen[i].priority):
        more = chosen[i].width - widths[i]
        if more > 0 and not chosen[i].brief and _total(widths) + more <= width:
            widths[i] += more


def _shrink(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    while (overflow := _total(widths) - width) > 0:
        growing = [i for i, column in enumerate(chosen) if column.grow and widths[i] > MIN_WIDTH]
        if not growing:
            return
        widest = max(growing, key=lambda i: widths[i])
        widths[widest] -= min(overflow, max(1, (widths[widest] - MIN_WIDTH) // 2))


def _scrolled(
    candidates: list[Column[R]], width: int, offset: int
) -> tuple[list[Column[R]], list[int]]:
    chosen = candidates[:1]
    widths = [min(column.width, width) for column in chosen]
    for column in candidates[1 + offset :]:
        room = width - _total(widths) - GAP
        if room < MIN_WIDTH and room < column.width:
            break
        chosen.append(column)
        widths.append(min(column.width, room))
    return chosen, widths


def _widen_graphs(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    """Give the graphs equal parts of the cells that no text needs."""
    graphs = [i for i, column in enumerate(chosen) if column.max_width]
    for number, i in enumerate(graphs):
        part = max(0, width - _total(widths)) // (len(graphs) - number)
        widths[i] += max(0, min(part, (chosen[i].max_width or 0) - widths[i]))


def _grow(chosen: list[Column[R]], widths: list[int], width: int) -> None:
    spare = width - _total(widths)
    shares = sum(column.grow for column in chosen)
    if spare <= 0 or not shares:
        return
    given = 0
    last = max(i for i, column in enumerate(chosen) if column.grow)
    for i, column in enumerate(chosen):
        if column.grow:
            part = spare - given if i == last else spare * column.grow // shares
            widths[i] += part
            given += part


def _spread(chosen: list[Column[R]], widths: list[int], needs: Needs) -> None:
    """Share long blanks after the names among the columns to their right: rows stay readable."""
    name = _name_of(chosen)
    if name is None:
        return
    first = chosen.index(name)
    others = [
        i for i, one in enumerate(chosen) if i > first and not one.fixed and one.max_width is None
    ]
    part = (widths[first] - _need(name, needs) - MAX_BLANK) // max(1, len(others))
    if part > 0:
        for i in others:
            widths[i] += part
        widths[first] -= part * len(others)
