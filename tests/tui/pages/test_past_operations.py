"""A task's page shows what the history has of the task."""

from __future__ import annotations

from pathlib import Path

from celtop.history.rows import StoredOperation
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import NOW, cluster, task_events
from celtop.tests.tui.stored import CLUSTER, rows_of, store_in
from celtop.tui.navigation import DrillDown, Location

OLD = "0ld5e55e-0000-4000-8000-000000000001"
CHILD = "0ld5e55e-0000-4000-8000-000000000002"


async def test_any_task_of_the_history_has_a_page_with_its_workflow_and_operations(
    tmp_path: Path,
) -> None:
    at = NOW - 3 * 86_400
    rows = rows_of(
        [
            *task_events(1, "old.parent", uuid=OLD, at=at),
            *task_events(2, "old.child", uuid=CHILD, at=at + 5, root_id=OLD, parent_id=OLD),
        ]
    )
    revoked = StoredOperation(
        CLUSTER, "web:1:1", at, at + 1, "ada", "Revoked 1 task; [b]2 of 2[/b]", (OLD,)
    )
    other = StoredOperation(CLUSTER, "web:1:2", at, at + 1, "ada", "Purged celery", ("celery",))
    async with run_app(
        cluster(3),
        stored=lambda session: store_in(session, tmp_path, tasks=rows, operations=(revoked, other)),
    ) as on:
        on.app.run_command(f"task {OLD[:30]}")
        await on.until(lambda: on.said)
        assert "Several tasks in the history" in on.said[0]
        on.app.run_command(f"task {OLD}")
        await on.until(lambda: on.app.location.path == (DrillDown("task", OLD, OLD[:8]),))
        await on.until(lambda: "Revoked 1 task; [b]2 of 2[/b]" in on.text)
        await on.until(lambda: "old.child" in on.text)
        assert "history" in on.text
        assert "Purged" not in on.text


async def test_a_page_without_operations_has_no_pane_for_them(tmp_path: Path) -> None:
    state = cluster(3)
    id_ = next(iter(state.tasks))
    location = Location("tasks", (DrillDown("task", id_, id_[:8]),))
    async with run_app(state, location, stored=lambda session: store_in(session, tmp_path)) as on:
        assert "Operations" not in on.text
