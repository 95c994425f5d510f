"""`celtop results purge`: deletes results by filter, after confirmation."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from celtop.tests.cli.conftest import celtop
from celtop.tests.cluster.results.test_search import COUNT, FAILED_EVERY, fill_sqlite

OLD = "state:success finished:2026-11-01..2026-11-02"
MATCHING = 2880 - 2880 // FAILED_EVERY


def test_old_results_are_deleted(redis_url: str, tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite3"
    audit = tmp_path / "audit.jsonl"
    cluster = ("-b", redis_url, "--result-backend", fill_sqlite(path), "--timezone", "utc")
    purge = (*cluster, "results", "purge", OLD)
    environment = {"CELTOP_AUDIT_FILE": str(audit), "TZ": "Asia/Tokyo"}

    planned = celtop(*purge, "--dry-run", env=environment)
    assert planned.returncode == 0
    assert f"Delete {MATCHING:,} results matching {OLD}" in planned.stdout
    assert "SUCCESS, finished 2026-11-02 23:59:00" in planned.stdout
    assert rows(path) == COUNT + 1

    refused = celtop(*purge, "--read-only", "--yes", env=environment)
    assert refused.returncode == 1 and "read-only" in refused.stdout
    unconfirmed = celtop(*purge, env=environment)
    assert unconfirmed.returncode == 2 and "--yes" in unconfirmed.stderr
    assert rows(path) == COUNT + 1

    deleted = celtop(*purge, "--yes", "--json", env=environment)
    assert deleted.returncode == 0, deleted.stderr
    document = json.loads(deleted.stdout)
    assert (document["command"], document["count"]) == ("purge-results", MATCHING)
    assert document["text"] == f"Deleted {MATCHING:,} results"
    assert document["parameters"]["filter"] == OLD and "examples" not in document["parameters"]
    assert rows(path) == COUNT + 1 - MATCHING
    assert rows(path, "status = 'FAILURE'") == COUNT // FAILED_EVERY
    written = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [one["phase"] for one in written][-2:] == ["begun", "ended"]
    assert written[-1]["outcome"]["count"] == MATCHING

    none = celtop(*purge, "--yes", env=environment)
    assert none.returncode == 1 and "no result matches" in none.stdout


def rows(path: Path, where: str = "1") -> int:
    with sqlite3.connect(path) as database:
        found = database.execute(f"select count(*) from celery_taskmeta where {where}").fetchone()
    return int(found[0])


def test_a_filter_that_is_not_understood(redis_url: str) -> None:
    refused = celtop("-b", redis_url, "results", "purge", "state:success finished:", "--yes")
    assert refused.returncode == 2
    assert "Invalid FILTER term 'finished:': it has no value" in refused.stderr
