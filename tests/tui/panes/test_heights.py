from __future__ import annotations

import pytest
from celtop.tui.panes.heights import HOLD, Need, Peak, blank_lines, heights

LIST = Need(100)
GRAPH = Need(8, frame=2, least=5, fills=True)


def test_panes_with_nothing_to_show_take_a_line_and_the_graph_the_rest() -> None:
    needs = {"failures": Need(0), "workers": Need(4), "graph": GRAPH}
    assert heights(needs, 40) == {"failures": 1, "workers": 7, "graph": 32}


def test_lists_that_are_cut_share_the_lines_and_short_ones_are_whole() -> None:
    needs = {"queues": LIST, "running": Need(3), "failures": LIST}
    assert heights(needs, 46) == {"queues": 20, "running": 6, "failures": 20}


def test_a_low_terminal_shows_the_most_important_pane_and_lines() -> None:
    needs = {"attention": Need(24, frame=2), "queues": LIST, "running": LIST, "graph": GRAPH}
    assert heights(needs, 10) == {"attention": 7, "queues": 1, "running": 1, "graph": 1}
    assert heights(needs, 3) == {"attention": 1, "queues": 1, "running": 1, "graph": 0}


def test_lines_are_blank_if_no_pane_of_a_column_has_content_for_them() -> None:
    needs = {"facts": Need(4, 2), "list": Need(2, fills=True, whole=2)}
    assert blank_lines(needs, 41) == 30
    assert blank_lines(needs | {"list": Need(8, fills=True, whole=90)}, 41) == 0
    assert blank_lines(needs | {"graph": GRAPH}, 41) == 0


def test_a_list_that_became_shorter_keeps_its_lines_unless_others_are_cut() -> None:
    shorter = Need(2, held=9)
    assert heights({"queues": Need(6), "running": shorter}, 30) == {"queues": 18, "running": 12}
    assert heights({"queues": LIST, "running": shorter}, 30) == {"queues": 25, "running": 5}
    assert heights({"queues": Need(14), "running": shorter}, 26) == {"queues": 17, "running": 9}
    assert heights({"queues": LIST, "running": Need(0, held=9)}, 30) == {"queues": 25, "running": 5}


def test_without_a_graph_the_most_important_list_takes_the_rest() -> None:
    assert heights({"queues": Need(2), "running": Need(2)}, 30) == {"queues": 25, "running": 5}


def test_a_chart_for_spare_lines_takes_none_from_a_list_that_is_cut() -> None:
    chart = Need(8, frame=2, least=5, fills=True, spare=True)
    needs = {"queues": Need(10), "running": Need(4), "chart": chart}
    assert heights(needs, 40) == {"queues": 13, "running": 7, "chart": 20}
    assert heights(needs, 26) == {"queues": 19, "running": 7, "chart": 0}
    assert heights(needs, 16) == {"queues": 9, "running": 7, "chart": 0}


def test_spare_lines_go_to_content_that_is_cut_and_not_below_a_whole_list() -> None:
    totals = Need(3, frame=2, least=3, fills=True, spare=True, whole=16)
    latest = Need(4, fills=True, whole=6)
    needs = {"active": Need(1, 2, least=1), "latest": latest, "totals": totals}
    assert heights(needs, 30) == {"active": 3, "latest": 9, "totals": 18}
    assert heights(needs, 16) == {"active": 3, "latest": 13, "totals": 0}
    assert heights(needs | {"latest": Need(0)}, 24) == {"active": 3, "latest": 1, "totals": 20}


@pytest.mark.parametrize("room", range(6, 80))
def test_exactly_the_room_is_shared(room: int) -> None:
    needs = {"queues": LIST, "running": Need(0), "failures": Need(1), "graph": GRAPH}
    given = heights(needs, room)
    assert sum(given.values()) == room or all(height == 1 for height in given.values())


def test_a_height_grows_at_once_and_falls_when_it_has_been_too_high_for_a_while() -> None:
    peak = Peak()
    assert [peak.update(number, at) for at, number in enumerate((3, 7, 2))] == [3, 7, 7]
    assert peak.update(4, 1 + HOLD) == 7
    assert peak.update(2, 1.1 + HOLD) == 4
    assert peak.update(1, 3 + 2 * HOLD) == 1
