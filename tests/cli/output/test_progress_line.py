from __future__ import annotations

from typing import Any

import pytest
from celtop.cli.output.progress_line import BarLine, PlainLines, location
from celtop.model.entities.result import ResultMeta
from celtop.model.entities.task import Task
from celtop.model.observations import ResultsRead
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event, EventBatch
from celtop.widgets.glyphs import ASCII, UNICODE

NOW = 1_800_000_000.0


def state(*reports: dict[str, Any]) -> ClusterState:
    """Return a model with running task `1`, which reported its progress every two seconds."""
    found = ClusterState()
    events = (
        Event("task-received", "w1", NOW - 20, uuid="1", name="geo.render"),
        Event("task-started", "w1", NOW - 20, uuid="1"),
    )
    found.observe(EventBatch(events, NOW - 20))
    for place, meta in enumerate(reports):
        at = NOW - 2 * (len(reports) - 1 - place)
        found.observe(ResultsRead((ResultMeta("1", "PROGRESS", meta),), at, "push"))
    return found


def line(found: ClusterState, width: int = 120, now: float = NOW) -> str:
    return BarLine(found, UNICODE).line(found.tasks["1"], now, width)


def test_the_line_has_state_bar_steps_text_and_time_left() -> None:
    shown = line(state(*({"current": 10 * n, "total": 40, "status": f"s{n}"} for n in range(3))))
    assert shown == (
        "◆ PROGRESS  geo.render  ████████████░░░░░░░░░░░░  50 %  20 of 40  s2  20 s"
        "  ~4.0 s left  on w1"
    )


@pytest.mark.parametrize("width", [20, 40, 79, 200])
def test_the_line_fits_the_terminal_and_leaves_its_last_cell(width: int) -> None:
    text = "\x1b[2J" + "界" * 100
    shown = line(state({"progress": 40, "status": text}), width)
    assert "\x1b" not in shown
    assert sum(2 if char == "界" else 1 for char in shown) < width


def test_an_indeterminate_bar_moves_and_can_be_ascii() -> None:
    found = state({"status": "warming up"})
    task = found.tasks["1"]
    drawn = {BarLine(found, ASCII).line(task, NOW + step / 4, 100) for step in range(8)}
    assert len(drawn) > 2
    assert all(one.isascii() and "warming up" in one and "%" not in one for one in drawn)


def test_an_estimate_is_marked() -> None:
    found = state()
    for number in range(10):
        ended = (
            Event("task-received", "w1", NOW - 200, uuid=f"e{number}", name="geo.render"),
            Event("task-started", "w1", NOW - 190, uuid=f"e{number}"),
            Event("task-succeeded", "w1", NOW - 150, uuid=f"e{number}", runtime=40.0),
        )
        found.observe(EventBatch(ended, NOW - 150))
    shown = line(found)
    assert "▒" in shown and "█" not in shown
    assert "~" in shown and " %" in shown


def test_plain_lines_are_printed_for_changes_only(capsys: pytest.CaptureFixture[str]) -> None:
    found = state({"progress": 10}, {"progress": 20})
    lines, task = PlainLines(found), found.tasks["1"]
    for second in range(3):
        lines.show(task, NOW + second)
    meta = ResultMeta("1", "PROGRESS", {"progress": 30, "status": "third"})
    found.observe(ResultsRead((meta,), NOW + 3, "push"))
    lines.show(task, NOW + 3)
    lines_shown = capsys.readouterr().err.splitlines()
    assert len(lines_shown) == 2
    assert lines_shown[0].startswith("celtop: PROGRESS  geo.render  20 %")
    assert "30 %  third" in lines_shown[1]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"state": "PENDING", "queue": "q\x1b"}, "waiting in q\\x1b"),
        ({"state": "PENDING"}, "waiting"),
        ({"state": "RECEIVED", "worker": "w1", "eta_at": NOW + 5}, "waiting on w1  due in 5.0 s"),
        ({"state": "RETRY", "exception": "E()", "eta_at": NOW + 5, "retries": 1},
         "retry 1  due in 5.0 s  E()"),
        ({"state": "RETRY", "eta_at": NOW + 5, "retries": 1, "finished_at": NOW},
         "retry 2  due in 5.0 s"),
        ({"state": "SUCCESS", "worker": "w1"}, ""),
        ({"state": "STARTED", "worker": "w1"}, "on w1"),
        ({"state": "STARTED", "lost_at": NOW}, "its worker no longer runs it; its end was missed"),
    ],
)  # fmt: skip
def test_location(fields: dict[str, Any], text: str) -> None:
    assert location(Task("1", **fields), NOW) == text
