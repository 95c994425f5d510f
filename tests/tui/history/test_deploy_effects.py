"""What a deploy has changed, on the Types screen and a type's page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celtop.history.rows import MINUTE, Batch, Rollup, Run, StoredMark, TypeRow
from celtop.tests.tui.app_under_test import Clock, run_app
from celtop.tests.tui.fake_session import NOW, FakeSession, cluster
from celtop.tests.tui.stored import CLUSTER, store_in
from celtop.tui.history.deploy_effects import _effect
from celtop.tui.navigation import Location
from celtop.widgets.table.needs import MEASURE_SECONDS

DEPLOY = NOW - 1_800


def minutes(name: str, start: float, end: float, failed: int, p95: float) -> Iterator[Rollup]:
    for minute in range(int(start) // MINUTE, int(end) // MINUTE):
        values = {"n_succeeded": 20.0, "n_failed": float(failed), "runtime_p95": p95}
        yield Rollup(CLUSTER, "type", name, minute, values)


async def test_types_compare_failures_and_run_times_before_and_after_the_latest_deploy(
    tmp_path: Path,
) -> None:
    rollups = (
        *minutes("mail.send", DEPLOY - 7_200, DEPLOY, 0, 1.0),
        *minutes("mail.send", DEPLOY + MINUTE, NOW, 5, 3.0),
        *minutes("images.resize", DEPLOY - 7_200, DEPLOY, 1, 1.0),
        *minutes("images.resize", DEPLOY + MINUTE, NOW, 1, 1.1),
    )
    marks = (
        StoredMark(CLUSTER, DEPLOY - 900, "deployed", "celery@web-1", "added shop.old"),
        StoredMark(CLUSTER, DEPLOY, "deployed", "celery@web-1", "added shop.new"),
    )
    clock = Clock()
    async with run_app(
        cluster(40),
        Location("types"),
        size=(200, 50),
        stored=lambda session: store_in(session, tmp_path, rollups=rollups, marks=marks),
        clock=clock,
    ) as on:
        await on.until(lambda: "0 % to 20 %" in on.text)
        assert "1.0 s to 3.0 s" in on.text
        clock.now += MEASURE_SECONDS  # columns that were blank are shown by then
        on.app.repaint()
        await on.until(lambda: "4.8 % to 4.8 %" in on.text)
        assert "deploy 07:30:00: added shop.new" in on.text
        await on.to("mail.send")
        await on.press("enter")
        await on.until(lambda: "Deploy: fail %" in on.text and "0 % to 20 %" in on.text)


async def test_a_deploy_in_a_gap_is_compared_with_the_time_before_the_gap(tmp_path: Path) -> None:
    stopped = DEPLOY - 4 * 3_600
    rollups = (
        *minutes("mail.send", stopped - 1_800, stopped, 0, 1.0),
        *minutes("mail.send", DEPLOY + MINUTE, NOW, 5, 3.0),
    )
    marks = (StoredMark(CLUSTER, DEPLOY, "deployed", "celery@web-1", "added shop.new"),)
    runs = (
        Run(CLUSTER, "a", stopped - 9_000, stopped, stopped),
        Run(CLUSTER, "b", DEPLOY - 1, NOW),
    )

    def stored(session: FakeSession) -> None:
        reader = store_in(session, tmp_path, rollups=rollups, marks=marks)
        reader.store.write(Batch(runs=runs))

    async with run_app(cluster(40), Location("types"), size=(200, 50), stored=stored) as on:
        await on.until(lambda: "0 % to 20 %" in on.text)
        assert "1.0 s to 3.0 s" in on.text


async def test_without_a_deploy_the_columns_are_empty(tmp_path: Path) -> None:
    async with run_app(
        cluster(4),
        Location("types"),
        size=(200, 50),
        stored=lambda session: store_in(session, tmp_path),
    ) as on:
        assert " to " not in on.text
        assert "deploy" not in on.text


@pytest.mark.parametrize(
    ("before", "after", "fails_more", "is_slower"),
    [
        ((100, 0, 1.0), (100, 1, 1.0), False, False),
        ((100, 0, 1.0), (100, 5, 1.0), True, False),
        ((100, 10, 1.0), (10, 1, 1.2), False, False),
        ((100, 10, 1.0), (100, 30, 1.6), True, True),
        ((4, 0, 1.0), (100, 0, 9.0), False, False),
        (None, (100, 50, 9.0), True, False),
    ],
)
def test_more_failures_than_by_chance_and_much_longer_run_times_are_marked(
    before: tuple[int, int, float] | None,
    after: tuple[int, int, float],
    fails_more: bool,
    is_slower: bool,
) -> None:
    def row(values: tuple[int, int, float]) -> TypeRow:
        return TypeRow("t", values[0], values[1], 0, None, values[2])

    effect = _effect(None if before is None else row(before), row(after))
    assert (effect.fails_more, effect.is_slower) == (fails_more, is_slower)
