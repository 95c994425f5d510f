"""Looking for a task that is not in the model."""

from __future__ import annotations

import gc
import logging
from pathlib import Path

import pytest
from celtop.model.lookup import PlaceChecked, TaskLookup
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, FakeSession, cluster
from celtop.tests.tui.stored import store_in


async def test_a_history_that_cannot_be_searched_is_named_and_leaves_no_error_on_the_terminal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def stored(session: FakeSession) -> None:
        store_in(session, tmp_path).store.close()

    async with run_app(cluster(3), stored=stored) as on:
        on.app.run_command("task nothing")
        await on.until(lambda: on.session.looked_up == ["nothing"])
        looked = (PlaceChecked("workers", False, "unknown to w1"),)
        on.session.lookup.set_result(TaskLookup("nothing", NOW, (), looked))
        await on.until(lambda: "nothing was not found" in on.text)
        assert "history unavailable" in on.text and "workers: unknown to w1" in on.text
        gc.collect()
        await on.pilot.pause()
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


async def test_a_history_without_the_task_is_named(tmp_path: Path) -> None:
    async with run_app(cluster(3), stored=lambda session: store_in(session, tmp_path)) as on:
        on.app.run_command("task nothing")
        await on.until(lambda: on.session.looked_up == ["nothing"])
        on.session.lookup.set_result(TaskLookup("nothing", NOW, (), ()))
        await on.until(lambda: "history: no task" in on.text)
