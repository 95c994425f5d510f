from __future__ import annotations

import pytest
from celtop.model.entities.task import Attempt, Task
from celtop.tests.widgets.screen_text import shown
from celtop.widgets.charts.timeline import Phase, Timeline, timed_attempts
from celtop.widgets.glyphs import ASCII


def task(**fields: object) -> Task:
    return Task(id="t", **fields)  # type: ignore[arg-type]


def test_the_phases_of_a_task() -> None:
    (only,) = timed_attempts(
        task(state="SUCCESS", sent_at=10, received_at=12, started_at=15, finished_at=20), 99.0
    )
    assert only.phases == (
        Phase("queue", 10, 12),
        Phase("worker", 12, 15),
        Phase("run", 15, 20),
    )


@pytest.mark.parametrize(
    ("fields", "phases"),
    [
        ({"sent_at": 10}, (Phase("queue", 10, 30),)),
        ({"received_at": 10}, (Phase("worker", 10, 30),)),
        ({"sent_at": 10, "started_at": 20}, (Phase("queue", 10, 20), Phase("run", 20, 30))),
        (
            {"sent_at": 10, "received_at": 9, "started_at": 20},
            (Phase("worker", 9, 20), Phase("run", 20, 30)),
        ),
        ({}, ()),
        ({"state": "REVOKED", "sent_at": 10, "state_at": 12}, (Phase("queue", 10, 12),)),
    ],
    ids=range(6),
)  # fmt: skip
def test_what_is_not_known_or_not_over(
    fields: dict[str, object], phases: tuple[Phase, ...]
) -> None:
    assert timed_attempts(task(**fields), 30.0)[0].phases == phases


async def test_each_attempt_has_its_line() -> None:
    line = Timeline()
    async with shown(line, 90, 5) as screen:
        line.show(
            task(
                state="STARTED", retries=1, sent_at=100, received_at=110, started_at=120,
                worker="celery@w2",
                attempts=(
                    Attempt(
                        number=0, state="RETRY", worker="celery@w1", received_at=101,
                        started_at=102, finished_at=105, exception="boom",
                    ),
                ),
            ),
            140.0,
        )  # fmt: skip
        await screen.settle()
        assert screen.lines[0] == "░ waiting in the queue   ▒ waiting in the worker   █ running"
        first, second = screen.lines[1:3]
        assert first.split()[:3] == ["1", "↻", "RETRY"]
        assert "queue 1.0 s  worker 1.0 s  run 3.0 s" in first
        assert second.split()[:3] == ["2", "▶", "STARTED"]
        assert "run 20 s" in second
        bar = second[15:]
        assert bar.index("░") < bar.index("▒") < bar.index("█")
        assert bar.count("█") > bar.count("▒")
        assert screen.lines[3] == ""


@pytest.mark.parametrize("width", [30, 60, 200])
async def test_a_timeline_is_cut_to_the_width(width: int) -> None:
    line = Timeline(glyphs=ASCII)
    async with shown(line, width, 4) as screen:
        line.show(task(state="SUCCESS", sent_at=0, received_at=1e-9, finished_at=9e6), 1e7)
        await screen.settle()
        assert screen.lines[1].isascii()
        assert screen.lines[2:] == ["", ""]
