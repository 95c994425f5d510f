"""Chains, groups and chords of a real worker, put together from all sources."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from celtop.model.ingest.tasks.events.attempts import NO_EXCEPTION
from celtop.model.operations.call import SentTask
from celtop.model.wire.signatures import read_signatures
from celtop.model.workflow.view import WorkflowView
from celtop.tests.cluster.conftest import OpenSession, RunningSession
from celtop.tests.conftest import StartWorker
from celtop.tests.servers import APPS, app_environment, clean_environment

SHAPES = {
    "chain": ["fetch", "then render", "then mail"],
    "group": ["group", "| member render", "| member render", "| member render"],
    "chord": ["group", "| member render", "| member render", "| member render", "body collect"],
    "chord in chain": [
        "fetch",
        "group",
        "| member render",
        "| member render",
        "| member render",
        "body collect",
        "then mail",
    ],
    "failing chord": [
        "! group",
        "| member render",
        "| member render",
        "| member render",
        "| ! member spoil",
        "- body collect",
    ],
    "shy": ["fetch", "then shy", "then mail"],
    "spread": ["spread", "| child render", "| child render", "| child render"],
}
UNTOLD = "- body collect"
"""Only a header's message names a body that was never sent."""

Send = Callable[..., dict[str, str]]


@pytest.fixture
def send_flows(redis_url: str) -> Send:
    """`send_flows(*kinds)`: send workflows as a client does; returns the first tasks' ids."""

    def send(*kinds: str, seconds: float = 0.3) -> dict[str, str]:
        code = (
            "import flows, json, os, sys\n"
            "ids = {kind: flows.send(kind, float(sys.argv[1])) for kind in sys.argv[2:]}\n"
            "print(json.dumps(ids), flush=True)\n"
            "os._exit(0)"
        )
        environment = clean_environment(PYTHONPATH=str(APPS), **app_environment(redis_url, conf()))
        command = [sys.executable, "-c", code, str(seconds), *kinds]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        ids: dict[str, str] = json.loads(ran.stdout)
        return ids

    def conf() -> dict[str, object]:
        return {"result_backend": redis_url, "task_send_sent_event": True}

    return send


def start(start_worker: StartWorker, redis_url: str) -> None:
    conf = {"result_backend": redis_url, "task_send_sent_event": True}
    start_worker(redis_url, app="flows", concurrency=4, events=True, conf=conf)


def drawn(view: WorkflowView) -> list[str]:
    """The tree as lines: the way to a failure, what it is to the one before, which task."""
    lines = []
    for row in view:
        node = row.node
        mark = "! " if node.failed else "- " if node.given_up else ""
        kind = {"step": "then ", "root": "", "group": "group"}.get(node.kind, f"{node.kind} ")
        if (mark, node.kind) == ("! ", "body"):
            # It never ran, but the result backend may have an entry for its failure.
            mark = "- "
        lines.append(f"{'| ' * len(row.guides)}{mark}{kind}{node.name.removeprefix('flows.')}")
    return lines


def until_drawn(
    live: RunningSession, views: dict[str, WorkflowView], shapes: dict[str, list[str]]
) -> None:
    """Keep views up, as the screen does, until all show their shapes and nothing is to come."""

    def wrong() -> list[str]:
        return [
            kind
            for kind, view in views.items()
            if view.pending_count or drawn(view) != shapes[kind]
        ]

    def holds() -> bool:
        for view in views.values():
            view.apply(live.changes, time.time())
            unread = view.members.unread(200)
            if unread:
                live.session.read_results(unread)
        return not wrong()

    try:
        live.until(holds)
    except AssertionError:
        lines = [line for kind in wrong() for line in ("", f"{kind}:", *drawn(views[kind]))]
        raise AssertionError("\n".join(lines)) from None


def test_each_kind_of_workflow_is_known_while_it_runs_and_afterwards(
    redis_url: str, start_worker: StartWorker, send_flows: Send, open_session: OpenSession
) -> None:
    live = open_session(redis_url)
    live.until_live()
    start(start_worker, redis_url)
    ids = send_flows(*SHAPES)
    views = {kind: WorkflowView(live.state, id_, time.time()) for kind, id_ in ids.items()}
    until_drawn(live, views, {k: [line for line in v if line != UNTOLD] for k, v in SHAPES.items()})
    shy = next(task for task in live.state.tasks.values() if task.name == "flows.shy")
    assert (shy.state, shy.retries, shy.parent_id != shy.id) == ("SUCCESS", 1, True)
    assert [attempt.exception for attempt in shy.attempts] == [NO_EXCEPTION]
    # A later session has missed the events: results have no names, but parents and groups.
    late = open_session(redis_url, result_backend=redis_url)
    late.until(lambda: len(late.state.tasks) >= sum(map(len, SHAPES.values())) - 5)
    for kind in ("chain", "group", "chord", "chord in chain", "spread"):
        view = WorkflowView(late.state, ids[kind], time.time())
        depths = [len(row.guides) for row in view]
        assert depths == [line.count("| ") for line in SHAPES[kind]], (kind, drawn(view))


def test_pending_tasks_are_read_from_waiting_messages(
    redis_url: str, start_worker: StartWorker, send_flows: Send, open_session: OpenSession
) -> None:
    live = open_session(redis_url)
    live.until_live()
    kinds = ("chain", "chord", "chord in chain", "failing chord")
    ids = send_flows(*kinds)
    live.session.lookups.peek("celery", 100).result(20)
    live.until(lambda: set(ids.values()) <= set(live.state.tasks))
    views = {}
    for kind, id_ in ids.items():
        view = views[kind] = WorkflowView(live.state, id_, time.time())
        waiting = [line.replace("! ", "").replace("- ", "") for line in SHAPES[kind]]
        assert drawn(view) == waiting, kind
        assert view.pending_count == len(waiting) - len(view.members) - waiting.count("group")
    # The same is known of what a worker holds.
    (found,) = live.session.lookups.recover_calls([ids["chain"]]).result(20)
    assert isinstance(found, SentTask) and found.message is not None
    assert [one.name for one in read_signatures(found.id, found.message.body)] == [
        "flows.render",
        "flows.mail",
    ]
    start(start_worker, redis_url)
    until_drawn(live, views, SHAPES)
