from __future__ import annotations

from celtop.model.entities.worker import Rusage
from celtop.model.health.workers.crashes import crash_findings
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW, OTHER, WORKER, Script, play

LOST = "WorkerLostError('Worker exited prematurely: signal 9 (SIGKILL) Job: 3.')"


def looped(times: int) -> ClusterState:
    script = Script("a", NOW - 600, step=20.0)
    for number in range(times):
        script.on((WORKER, OTHER)[number % 2]).received().started()
    return play(script.events, at=NOW)


def test_a_task_that_starts_again_and_again() -> None:
    assert not list(crash_findings(looped(2), NOW))
    (found,) = crash_findings(looped(3), NOW)
    assert (found.code, found.name) == ("task-crash-loop", "a")
    assert found.text.startswith(
        "shop.bill was started 3 times on celery@one and celery@two, and none of the first 2 runs"
    )


def test_a_message_that_its_worker_returns_to_the_queue() -> None:
    script = Script("a", NOW - 600)
    for _ in range(3):
        script.received().started().say("rejected", requeue=True)
    (found,) = crash_findings(play(script.received().started().events, at=NOW), NOW)
    assert found.evidence["interrupted"] == 3
    assert found.text.endswith("or raises Reject(requeue=True)")


def test_a_task_that_ended_after_all_is_no_loop() -> None:
    state = looped(3)
    play(Script("a", NOW, worker=WORKER).succeeded().events, state, NOW)
    assert not list(crash_findings(state, NOW))


def test_retries_are_no_loop() -> None:
    script = Script("a", NOW - 600).received().started()
    for number in range(1, 5):
        script.received(retries=number).retried().started()
    assert not list(crash_findings(play(script.events, at=NOW), NOW))


def test_processes_killed_by_the_kernel() -> None:
    script = Script("a", NOW - 60).received().started()
    state = play(script.failed(exception=LOST, traceback="").events, at=NOW)
    state.take_changes()
    (found,) = crash_findings(state, NOW)
    assert (found.code, found.subject) == ("type-kills-processes", "type shop.bill")
    assert "because the pool process was ended by SIGKILL" in found.text
    assert "Probably out of memory: check the kernel log of one" in found.next_step
    assert found.evidence["rss_bytes"] is None
    state.workers[WORKER].rusage = Rusage(rss_bytes=3 << 30)
    (found,) = crash_findings(state, NOW)
    assert found.evidence["rss_bytes"] == 3 << 30
    assert found.next_step.endswith("A main process had 3.0 GiB when last inspected")
    assert not list(crash_findings(state, NOW + 3_600))
