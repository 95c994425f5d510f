"""`celtop tasks` and `snapshot --filter` search the whole result backend."""

from __future__ import annotations

import json
from pathlib import Path

from celtop.model.query.language import parse_query
from celtop.tests.cli.conftest import celtop
from celtop.tests.cluster.results.test_search import COUNT, FAILED_EVERY, fill_sqlite

FAILURES = COUNT // FAILED_EVERY


def test_a_filter_finds_every_result(redis_url: str, tmp_path: Path) -> None:
    cluster = ("-b", redis_url, "--result-backend", fill_sqlite(tmp_path / "results.sqlite3"))
    listed = celtop(
        *cluster, "tasks", "--filter", "state:failure", "--format", "json", "--wait", "0.2"
    )
    document = json.loads(listed.stdout)
    assert (document["schema"], document["matching"]) == ("celtop.tasks/1", FAILURES)
    assert len(document["tasks"]) == FAILURES == 24
    assert document["tasks"][0]["finished_at"] > document["tasks"][-1]["finished_at"]
    assert any(
        note["text"] == f"finished tasks in the result backend: 500 of {COUNT:,} loaded"
        for note in document["notes"]
    )

    some = celtop(*cluster, "tasks", "--filter", "name:geo", "--limit", "3", "--wait", "0.2")
    geo = COUNT - COUNT // 1000
    assert f"Finished tasks in the result backend: 3 of {geo:,} loaded" in some.stderr
    assert len(some.stdout.splitlines()) == 5 and "... and " in some.stdout

    taken = celtop(
        *cluster, "snapshot", "--filter", "name:bills !state:failure", "--format", "json",
        "--wait", "0.2",
    )  # fmt: skip
    tasks = json.loads(taken.stdout)["tasks"]
    assert len(tasks) == COUNT // 1000
    assert all(task["name"] == "Bills.send_100%" for task in tasks)


def test_a_filter_that_is_not_understood(redis_url: str) -> None:
    refused = celtop("-b", redis_url, "tasks", "--filter", "finished:lately")
    assert refused.returncode == 2
    (problem,) = parse_query("finished:lately").problems
    assert problem.message in refused.stderr
