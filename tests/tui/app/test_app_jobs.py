"""The ten jobs of docs/jobs.md, done by the keys of its table: the outcome and the counts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from celtop.bindings.actions import ACTIONS
from celtop.model.operations.call import Call, SentTask
from celtop.model.operations.commands import Consumer, Drain, PauseQueue, ResumeQueue, Retry
from celtop.model.state import ClusterState
from celtop.model.wire.events import Event
from celtop.tests.tui.app_under_test import AppUnderTest, run_app
from celtop.tests.tui.fake_session import NOW, cluster, feed, task_events

DAY = 86_400.0
PAGE = Path(__file__).parents[3] / "docs" / "jobs.md"
PAGE_TEXT = PAGE.read_text("utf-8")
NAMED = {"enter", "tab", "shift+tab"}
"""Keys that the table names; other code spans are typed."""
BILLING = """Traceback (most recent call last):
  File "/v/lib/python3.11/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/srv/shop/billing/tasks.py", line 88, in charge
    raise CardDeclined(customer)
billing.errors.CardDeclined: cus_42
"""
PAUSE = PauseQueue(queue="celery", consumers=(Consumer("celery@web-1"),))
STUCK, REPORT = (f"{n:08x}-0000-4000-8000-{n:012x}" for n in (7_000, 9_003))


class Job(NamedTuple):
    """A row of the table."""

    name: str
    keys: tuple[str, ...]
    presses: int
    flower: int | None


def table() -> Iterator[Job]:
    """Yield the jobs of the page."""
    for line in PAGE_TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[2].isdigit():
            spans = re.findall(r"`([^`]+)`", cells[1])
            keys = [key for span in spans for key in ([span] if span in NAMED else span)]
            flower = int(cells[3]) if cells[3].isdigit() else None
            yield Job(cells[0], tuple(keys), int(cells[2]), flower)


JOBS = {job.name: job for job in table()}


def shop() -> ClusterState:
    """Return a shop in trouble: every job has something to find."""
    state = cluster()
    for number in range(12):
        ended = {"end": "failed", "exception": "CardDeclined('cus_42')", "traceback": BILLING}
        feed(state, task_events(5_000 + number, "billing.charge", at=NOW - 200 + number, **ended))  # type: ignore[arg-type]
    for number in range(3):
        ended = {"end": "failed", "exception": "ReadTimeout('pool')"}
        feed(state, task_events(6_000 + number, "images.render", at=NOW - DAY + number, **ended))  # type: ignore[arg-type]
    for step in range(100):
        runtime, at = (1.0 if step < 60 else 4.0), NOW - 500 + step * 5
        feed(state, task_events(8_000 + step, "pdf.make", at=at - runtime, runtime=runtime))
        state.series.record(at + 4, connected=True)
    feed(state, task_events(7_000, "pdf.make", at=NOW - 1_300, end=None))
    for name in state.workers:
        feed(state, [Event("worker-heartbeat", name, NOW + 1, freq=2.0)])
    state.tick(NOW)
    return state


Check = Callable[[AppUnderTest], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def outcome(name: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return register


@outcome("Find why billing fails")
async def _(on: AppUnderTest) -> None:
    await on.until(lambda: "CardDeclined: cus_42" in on.text)
    assert "raise CardDeclined(customer)" in on.text


@outcome("Retry all of yesterday's timeouts")
async def _(on: AppUnderTest) -> None:
    await on.until(lambda: on.session.done)
    (operation,) = on.session.done
    assert isinstance(operation, Retry)
    assert {on.session.state.tasks[one.id].name for one in operation.originals} == {"images.render"}
    assert len(operation.originals) == 3


@outcome("Find the stuck task")
async def _(on: AppUnderTest) -> None:
    await on.until(lambda: on.app.location.path and on.app.location.path[-1].subject == STUCK)


@outcome("See which workers consume a queue")
async def _(on: AppUnderTest) -> None:
    await on.until(lambda: "Consumers" in on.text)
    row = next(line for line in on.text.splitlines() if "geo_processing" in line)
    assert "celery@geo-1" in row


@outcome("Drain a worker")
async def _(on: AppUnderTest) -> None:
    await on.until(lambda: on.session.done)
    assert on.session.done == [Drain(workers=("celery@geo-2",))]


@outcome("Find the task type that got slow")
async def _(on: AppUnderTest) -> None:
    await on.until(lambda: on.app.location.path and on.app.location.path[-1].subject == "pdf.make")


@outcome("See when the failures began")
async def _(on: AppUnderTest) -> None:
    await on.until(lambda: "12 CardDeclined  first 07:56:40" in on.text)


@outcome("Copy the last own frame of a traceback")
async def _(on: AppUnderTest) -> None:
    assert on.clipboard == "/srv/shop/billing/tasks.py:88"


@outcome("Watch a task")
async def _(on: AppUnderTest) -> None:
    await on.until(lambda: on.app.location.path and on.app.location.path[-1].subject == REPORT)
    await on.until(lambda: "STARTED" in on.text)
    feed(on.session.state, [Event("task-succeeded", "celery@web-1", NOW, uuid=REPORT, runtime=1.0)])
    await on.until(lambda: "✔ SUCCESS" in on.text)


@outcome("Undo a pause")
async def _(on: AppUnderTest) -> None:
    await on.until(lambda: on.session.done)
    assert on.session.done == [ResumeQueue(queue="celery", consumers=PAUSE.consumers)]


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
async def test_the_job_is_done_by_its_keys(job: Job) -> None:
    async with run_app(shop()) as on:
        if job.name == "Undo a pause":
            on.session.held["celery"] = PAUSE
            on.app.context._paused_queues = None
        sent = [
            SentTask(id_, Call("images.render", (), {}, queue="celery"), "worker", NOW, None)
            for id_, task in on.session.state.tasks.items()
            if task.name == "images.render"
        ]
        on.session.recovering.set_result(tuple(sent))
        for key in job.keys:
            await on.press(key)
        await CHECKS[job.name](on)


async def test_the_drain_of_an_only_consumer_takes_a_word() -> None:
    (line,) = re.findall(r"takes (\d+) presses to drain.*?word: (.*?)\.$", PAGE_TEXT, re.M | re.S)
    spans = re.findall(r"`([^`]+)`", line[1])
    keys = [key for span in spans for key in ([span] if span in NAMED else span)]
    assert len(keys) == int(line[0])
    state = shop()
    feed(state, [Event("worker-offline", "celery@geo-1", NOW + 1)])
    state.tick(NOW + 1)
    async with run_app(state) as on:
        for key in keys:
            await on.press(key)
        await CHECKS["Drain a worker"](on)


def test_each_job_takes_at_most_half_of_what_flower_takes() -> None:
    assert len(JOBS) == 10 and JOBS.keys() == CHECKS.keys()
    for job in JOBS.values():
        assert len(job.keys) == job.presses, job.name
        assert job.flower is None or job.presses * 2 <= job.flower, job.name


def test_the_keys_are_those_of_actions() -> None:
    keys = {key for action in ACTIONS for key in action.keys}
    letters = {
        key for job in JOBS.values() for key in job.keys if not key.isalpha() or key.isupper()
    }
    assert letters - {" "} <= keys | NAMED
