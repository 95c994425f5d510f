"""Real beats: the default scheduler, django-celery-beat on SQLite and RedBeat."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celtop.model.health.tasks.beat import beat_findings
from celtop.model.health.tasks.schedule_status import EntryStatus, entry_statuses
from celtop.model.observations import ScheduleRead
from celtop.model.operations.schedule_commands import SwitchEntries
from celtop.tests.cli.conftest import celtop
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import APPS, Child, app_environment, clean_environment

StartBeat = Callable[..., Child]

TICK = {"tick": {"task": "plain.ok", "schedule": 1.0, "args": [7]}}


@pytest.fixture
def start_beat(tmp_path: Path) -> Iterator[StartBeat]:
    """`start_beat(url, app="plain", conf={...}, env={...})`: a running beat, killed at the end."""
    started: list[Child] = []

    def start(url: str, app: str = "plain", conf: Any = None, env: Any = None) -> Child:
        number = len(started)
        command = [sys.executable, "-m", "celery", "-A", app, "beat", "--pidfile="]
        if conf is not None and "beat_scheduler" not in conf:
            command += ["-s", str(tmp_path / f"schedule-{number}")]
        environment = clean_environment(
            PYTHONPATH=str(APPS), **app_environment(url, conf), **(env or {})
        )
        started.append(Child(command, tmp_path / f"beat-{number}.log", environment, cwd=tmp_path))
        return started[-1]

    yield start
    for beat in started:
        beat.kill()


def codes(live: RunningSession) -> set[str]:
    now = time.time()
    live.state.tick(now)
    return {finding.code for finding in beat_findings(live.state, now)}


def statuses(live: RunningSession) -> dict[str, EntryStatus]:
    live.state.tick(time.time())
    return {one.entry.name: one for one in entry_statuses(live.state, time.time())}


@pytest.mark.slow
def test_a_beat_is_noticed_when_it_is_doubled_and_when_it_dies(
    redis_url: str, start_worker: StartWorker, start_beat: StartBeat, open_session: OpenSession
) -> None:
    conf = {"beat_schedule": TICK}
    start_worker(redis_url, events=True, conf=conf)
    beats = [start_beat(redis_url, conf=conf)]
    live = open_session(redis_url, queue_interval=1.0)
    live.session.watch(frozenset({"schedule", "queues", "workers"}))
    live.until(lambda: len(statuses(live)["tick"].runs) > 2 if statuses(live) else False, 40)
    found = statuses(live)["tick"]
    assert (found.word, found.sources, found.entry.args) == ("scheduled", ("workers",), (7,))
    assert not codes(live)
    beats.append(start_beat(redis_url, conf=conf))
    live.until(lambda: codes(live) == {"beat-twice"}, 40)
    for beat in beats:
        beat.kill()
    live.until(lambda: codes(live) == {"beat-dead"}, 40)


@pytest.mark.slow
def test_redbeat_is_read_from_the_broker_and_noticed_when_it_dies(
    redis_url: str, start_beat: StartBeat, open_session: OpenSession
) -> None:
    conf = {
        "beat_schedule": TICK,
        "beat_scheduler": "redbeat.RedBeatScheduler",
        "redbeat_redis_url": redis_url,
    }
    beat = start_beat(redis_url, conf=conf)
    live = open_session(redis_url)
    live.session.watch(frozenset({"schedule"}))

    def ran() -> bool:
        live.session.refresh()
        return (statuses(live)["tick"].entry.total_runs or 0) > 1 if statuses(live) else False

    live.until(ran, 40)
    assert statuses(live)["tick"].sources == ("redbeat",)
    assert live.state.schedule.reads["redbeat"].lock_s
    beat.kill()

    def dead() -> bool:
        live.session.refresh()
        return codes(live) == {"beat-dead"}

    live.until(dead, 40)


ROWS = """
import datetime, django, json, sys
import django_beat
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.utils import timezone
from django_celery_beat.models import *
now = timezone.now()
every = IntervalSchedule.objects.create(every=90, period="seconds")
crontab = CrontabSchedule.objects.create(
    minute="0", hour="9", day_of_week="1-5", timezone="Asia/Tokyo"
)
sunset = SolarSchedule.objects.create(event="sunset", latitude=48.2, longitude=16.4)
once = ClockedSchedule.objects.create(clocked_time=now + datetime.timedelta(days=2))
add = PeriodicTask.objects.create
add(name="every", task="django_beat.tick", interval=every, args="[1]", kwargs='{"a": 2}',
    last_run_at=now - datetime.timedelta(seconds=30), total_run_count=5)
add(name="mornings", task="django_beat.tick", crontab=crontab, queue="q", expire_seconds=60)
add(name="lamps", task="django_beat.tick", solar=sunset, priority=3)
add(name="once", task="django_beat.tick", clocked=once, one_off=True)
add(name="off", task="django_beat.tick", interval=every, enabled=False)
add(name="old", task="django_beat.tick", interval=every, expires=now - datetime.timedelta(days=1))
"""
ADMIN = """
import django, json
import django_beat
django.setup()
from django_celery_beat.models import PeriodicTask
print(json.dumps({
    row.name: [row.task, str(row.scheduler), row.enabled, row.one_off, row.total_run_count,
               row.last_run_at and row.last_run_at.timestamp()]
    for row in PeriodicTask.objects.all()
}))
"""


def in_django(script: str, environment: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=APPS,
        env=clean_environment(**environment),
    ).stdout  # fmt: skip


@pytest.mark.slow
def test_rows_of_django_celery_beat_are_those_of_the_admin_and_can_be_switched(
    tmp_path: Path,
    redis_url: str,
    start_beat: StartBeat,
    open_session: OpenSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = {"TEST_DATABASE": str(tmp_path / "db")}
    in_django(ROWS, environment)
    monkeypatch.setenv("TEST_DATABASE", environment["TEST_DATABASE"])
    live = open_session(
        redis_url, app="django_beat", workdir=str(APPS), audit_file=str(tmp_path / "audit")
    )
    live.session.read_schedule()
    live.until(lambda: statuses(live), 40)
    admin = json.loads(in_django(ADMIN, environment))
    entries = live.state.schedule.entries
    assert admin == {
        name: [one.task, one.definition, one.enabled, one.one_off, one.total_runs, one.last_run_at]
        for name, one in entries.items()
    }
    assert {one.source for one in entries.values()} == {"django-celery-beat"}
    assert {name: (one.schedule, one.kind) for name, one in entries.items()} == {
        "every": ("every 90 seconds", "interval"),
        "mornings": ("weekdays at 09:00 Asia/Tokyo", "crontab"),
        "lamps": ("sunset at 48.2, 16.4", "solar"),
        "once": (entries["once"].schedule, "clocked"),
        "off": ("every 90 seconds", "interval"),
        "old": ("every 90 seconds", "interval"),
    }
    every = entries["every"]
    assert (every.args, every.kwargs) == ((1,), {"a": 2})
    assert every.due_at == pytest.approx((every.last_run_at or 0) + 90)
    assert (entries["mornings"].queue, entries["mornings"].expires_in) == ("q", 60.0)
    assert entries["lamps"].priority == 3
    words = {name: one.word for name, one in statuses(live).items()}
    assert (words["off"], words["old"], words["once"]) == ("disabled", "expired", "scheduled")

    beat = start_beat(redis_url, "django_beat", env=environment)
    outcome = live.session.do(SwitchEntries(entries=("every",), enabled=False)).future.result(40)
    assert outcome.good
    live.until(lambda: statuses(live)["every"].word == "disabled", 20)
    assert json.loads(in_django(ADMIN, environment))["every"][2] is False
    assert beat.alive, beat.output
    assert '"SwitchEntries"' in (tmp_path / "audit").read_text()

    live.session.read_only = True
    refused = live.session.do(SwitchEntries(entries=("every",), enabled=True)).future.result(40)
    assert "read-only" in (refused.refusal or "")

    schedule = ("-b", redis_url, "-A", "django_beat", "--workdir", str(APPS), "schedule")
    enabled = celtop(*schedule, "enable", "every", "--yes", env=environment)
    assert (enabled.returncode, enabled.stdout) == (0, "Enabled every\n"), enabled.stderr
    assert json.loads(in_django(ADMIN, environment))["every"][2] is True


def test_a_file_that_is_not_there_and_an_app_that_fails_are_reported(
    redis_url: str, open_session: OpenSession, tmp_path: Path
) -> None:
    live = open_session(redis_url, app="no_such_app", beat_schedule_file=str(tmp_path / "missing"))
    live.session.read_schedule()
    reads: dict[Any, ScheduleRead] = live.state.schedule.reads
    live.until(lambda: len(reads) == 2, 30)
    assert reads["file"].fault and "there is no such file" in reads["file"].fault.problem
    assert reads["app"].fault and "no_such_app" in reads["app"].fault.problem
    assert codes(live) == {"schedule-unknown"}


def test_it_sleeps_until_something_asks(redis_url: str, open_session: OpenSession) -> None:
    live = open_session(redis_url)
    live.until_live()
    reader = live.session._observers.schedule
    rounds, is_due = [], reader._is_due
    reader._is_due = lambda: rounds.append(1) or is_due()  # type: ignore[method-assign, func-returns-value]
    reader.wake()  # as when the settings of the workers are known
    time.sleep(0.3)
    assert 1 <= len(rounds) <= 3 and not live.state.schedule.reads
