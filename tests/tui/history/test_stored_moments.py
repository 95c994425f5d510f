"""A frozen Overview goes back into the history."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

from celtop.history.reading.moments import Moment
from celtop.history.rows import MINUTE, Batch, Rollup, StoredFinding, StoredLog
from celtop.model.entities.cluster.log import EventLog
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, task_events
from celtop.tests.tui.stored import CLUSTER, DirectReader, rows_of, store_in
from celtop.tui.navigation import Location

AT = NOW - 7_200.0
"""A minute that begins two hours ago."""
LATER = NOW - 4_800.0
"""A minute without connection; nothing else was recorded."""


def rollups() -> tuple[Rollup, ...]:
    minute = int(AT) // MINUTE
    return (
        Rollup(CLUSTER, "cluster", "", minute, {"n_succeeded": 1_200.0, "n_failed": 30.0}),
        Rollup(CLUSTER, "queue", "thumbnails", minute, {"waiting": 4_321.0, "out_per_s": 2.0}),
        Rollup(CLUSTER, "worker", "celery@web-1", minute, {"busy": 2.0, "slots": 4.0}),
        Rollup(CLUSTER, "worker", "celery@old-7", minute, {"busy": 3.0, "slots": 4.0}),
        Rollup(CLUSTER, "queue", "thumbnails", int(LATER) // MINUTE, {"waiting": 9.0}),
    )


async def test_a_frozen_overview_goes_back_into_the_history(tmp_path: Path) -> None:
    failed = task_events(
        1, "mail.send", at=AT - 60, end="failed", exception="OSError('old')", traceback=""
    )
    readers: list[DirectReader] = []

    def stored(session: object) -> None:
        reader = store_in(session, tmp_path, tasks=rows_of(failed), rollups=rollups())  # type: ignore[arg-type]
        reader.store.write(
            Batch(
                findings=(
                    StoredFinding(
                        CLUSTER, "queue-growing", "queue thumbnails", AT - 9, AT + 99, "warning",
                        "has grown for an hour", "Add a worker",
                    ),
                ),
                log=(
                    StoredLog(CLUSTER, AT - 60, "error", "worker", "celery@old-7 lost"),
                    StoredLog(CLUSTER, AT + 90, "info", "worker", "celery@old-7 is back online"),
                ),
            )
        )  # fmt: skip
        readers.append(reader)

    async with run_app(cluster(3), Location("overview"), (140, 40), stored=stored) as on:
        context = on.app.context
        context.chart_seconds = 24 * 3_600
        await on.press("p")
        live = {name for name in context.state.queues}
        await on.press("left")  # 24 minutes each
        await on.until(lambda: context.freeze.moment is not None)
        assert "Nothing was recorded at 2027-01-15 07:36" in on.text
        assert context.now() == LATER + MINUTE - 1 and "?/s  fail ?" in on.text
        await on.press("right")
        await on.until(lambda: context.freeze.moment is None)
        readers[0].held = True
        await on.press("left")
        await on.press("left", "left", "left", "left")
        assert context.freeze.moment is None and "first record" not in on.text
        readers[0].release()  # only the last one counts
        await on.until(lambda: "1,200 succeeded" in on.text)
        assert "20.5/s  fail 2.4 %" in on.text and "failed 30/min" in on.text
        assert "30 failed" in on.text and "the state of each task is not stored" in on.text
        await on.until(lambda: "thumbnails" in on.text and "4,321" in on.text)
        await on.until(lambda: "celery@old-7" in on.text and "has grown for an hour" in on.text)
        assert "OSError" in on.text and "Failures (last hour, new first)" in on.text
        assert context.state.workers["celery@web-1"].running == 2
        assert context.state.workers["celery@old-7"].slots == 4
        assert "FROZEN 2027-01-15 06:00, first record" in on.text
        await on.press("7")
        await on.until(lambda: "celery@old-7 lost" in on.text)
        assert "back online" not in on.text
        await on.press("1")
        await on.press("left")
        assert context.now() == AT + MINUTE - 1
        assert on.said == ["Nothing was recorded earlier"]
        await on.press("right")
        await on.until(lambda: context.now() == LATER + MINUTE - 1)
        assert "first record" not in on.text
        await on.press("right")
        await on.until(lambda: context.freeze.moment is None)
        assert {name for name in context.state.queues} == live


async def test_a_minute_that_is_in_memory_is_not_shown_from_the_history() -> None:
    async with run_app(cluster(3), Location("overview")) as on:
        context = on.app.context
        context.freeze.begin()
        first = context.freeze._first_in_memory
        found = Moment(first + 60, first - 60, (), (), (), EventLog())
        context.freeze.moments.later = True
        asked: Future[Moment | None] = Future()
        asked.set_result(found)
        context.freeze.moments._asked = asked
        assert context.freeze.take_moment()
        assert (context.now(), context.freeze.moment) == (first, None)


async def test_without_a_history_it_stays_within_the_last_hour() -> None:
    async with run_app(cluster(3), Location("overview")) as on:
        await on.press("p", "right")
        assert on.said == ["Nothing later: this is the time of the freeze"]
        await on.press(*["left"] * 9)
        freeze = on.app.context.freeze
        assert freeze.moment is None and freeze.moments.wanted_at is None
