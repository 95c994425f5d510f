from __future__ import annotations

import json
from typing import Any

import pytest
from celery import Celery
from celery.schedules import crontab, schedule
from celtop.cluster.schedule import redbeat
from celtop.cluster.schedule.raw import Plan
from celtop.cluster.schedule.redbeat import RedBeatReader
from redis import Redis


@pytest.fixture
def client(redis_url: str) -> Any:
    return Redis.from_url(redis_url)


def save(url: str, name: str, plan: Any, **fields: Any) -> Any:
    """Save an entry with RedBeat itself."""
    from redbeat import RedBeatSchedulerEntry

    app = Celery(broker=url, set_as_current=False, fixups=set())
    app.conf.redbeat_redis_url = url
    return RedBeatSchedulerEntry(name, "t.tick", plan, app=app, **fields).save()


def test_there_may_be_no_schedule(client: Any) -> None:
    assert RedBeatReader().read(client) is None


def test_entries_are_read_as_redbeat_saves_them(client: Any, redis_url: str) -> None:
    saved = save(redis_url, "a", schedule(30), args=[1], kwargs={"k": 2}, options={"queue": "q"})
    save(redis_url, "b", crontab(0, 9, "mon-fri"), enabled=False)
    ran = saved.next()
    client.set("redbeat::lock", "x", px=90_000)
    found = RedBeatReader().read(client)
    assert found is not None and found.lock_s == pytest.approx(90, abs=5)
    entries = {entry.name: entry for entry in found.entries}
    a, b = entries["a"], entries["b"]
    assert (a.task, a.plan, a.total_runs) == ("t.tick", Plan("interval", 30.0), 1)
    assert (a.args, a.kwargs, a.options) == ([1], {"k": 2}, {"queue": "q"})
    assert a.last_run_at == pytest.approx(ran.last_run_at.timestamp(), abs=1e-3)
    assert b.plan == Plan("crontab", minute="0", hour="9", day_of_week="mon-fri")
    assert (b.enabled, b.last_run_at) == (False, None)


def test_only_entries_that_ran_are_read_again(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redbeat, "FEW_ENTRIES", 0)
    definition = {"task": "t", "schedule": {"__type__": "interval", "every": 5}}
    for number in range(3):
        name = f"entry-{number}"
        client.hset(f"redbeat:{name}", "definition", json.dumps({**definition, "name": name}))
        client.zadd("redbeat::schedule", {f"redbeat:{name}": number})
    reader = RedBeatReader()
    reader.read(client)
    before = client.info("commandstats").get("cmdstat_hmget", {}).get("calls", 0)
    client.zadd("redbeat::schedule", {"redbeat:entry-1": 60})
    found = reader.read(client)
    assert found is not None and len(found.entries) == 3
    assert client.info("commandstats")["cmdstat_hmget"]["calls"] == before + 1


@pytest.mark.parametrize("definition", ["not json", "[]", "null"])
def test_entries_that_cannot_be_read_are_left_out(client: Any, definition: str) -> None:
    client.hset("redbeat:x", "definition", definition)
    client.zadd("redbeat::schedule", {"redbeat:x": 1})
    found = RedBeatReader().read(client)
    assert found is not None and found.entries == []
