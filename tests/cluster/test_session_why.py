"""Why tasks of a real worker have not started."""

from __future__ import annotations

import time
from collections.abc import Callable

from celtop.model.why.why import why
from celtop.tests.cluster.conftest import OpenSession
from celtop.tests.conftest import StartWorker


def test_reserved_scheduled_and_waiting_tasks(
    redis_url: str,
    open_session: OpenSession,
    start_worker: StartWorker,
    send: Callable[..., str],
) -> None:
    start_worker(redis_url, pool="threads", concurrency=1)
    live = open_session(redis_url)
    live.until(lambda: (w := live.state.workers.get("w1@test")) is not None and w.slots == 1)
    ids = {
        "running": send(redis_url, "plain.slow", 20),
        "reserved-behind-others": send(redis_url, "plain.slow", 20),
        "eta": send(redis_url, "plain.ok", countdown=600),
        "queue-without-consumers": send(redis_url, "plain.ok", queue="nobody"),
    }
    live.session.watch(frozenset({"workers", "queue"}))
    live.session.refresh()
    live.session.lookups.peek("nobody", 10)

    def codes() -> dict[str, str]:
        answers = {id_: why(live.state, id_, time.time()) for id_ in ids.values()}
        return {id_: answer.code for id_, answer in answers.items() if answer is not None}

    live.until(lambda: codes() == {id_: code for code, id_ in ids.items()}, 20)
