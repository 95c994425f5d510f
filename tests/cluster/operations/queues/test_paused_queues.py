"""The file of paused queues."""

from __future__ import annotations

import stat
import threading
import time
from pathlib import Path

import pytest
from celtop.cluster.connection.broker import BrokerConnection
from celtop.cluster.operations.audit import user_name
from celtop.cluster.operations.queues.paused_queues import PausedQueues, is_over
from celtop.model.entities.fact import Fact
from celtop.model.entities.queue import Pause
from celtop.model.entities.worker import Worker, WorkerQueue
from celtop.model.operations.commands import Consumer, PauseQueue
from celtop.settings import Settings

W1 = Consumer("w1@h", "ex", "topic", "a.#")
W2 = Consumer("w2@h", None, None, "ü \x1b")


def test_paused_queues_are_read_by_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "paused.json"
    PausedQueues(path).remember("c", PauseQueue(queue="q", consumers=(W1, W2)))
    assert PausedQueues(path).all("c") == {"q": PauseQueue(queue="q", consumers=(W1, W2))}
    assert PausedQueues(path).all("other") == {}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["paused.json"]


def test_a_change_by_another_process_is_read_and_an_unchanged_file_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, others = PausedQueues(tmp_path / "p.json"), PausedQueues(tmp_path / "p.json")
    assert ours.all("c") == {}
    others.remember("c", PauseQueue(queue="q", consumers=(W1,)))
    assert set(ours.all("c")) == {"q"}
    with monkeypatch.context() as patch:
        patch.delattr(Path, "read_bytes")
        assert set(ours.all("c")) == {"q"}
    others.forget("c", "q", {"w1@h"})
    assert ours.all("c") == {}


def test_celtops_that_pause_at_once_lose_nothing(tmp_path: Path) -> None:
    def pause(number: int) -> None:
        paused = PausedQueues(tmp_path / "p.json")
        for step in range(5):
            paused.remember("c", PauseQueue(queue=f"{number}.{step}", consumers=(W1,)))
            paused.remember("c", PauseQueue(queue=f"{number}.over", consumers=(W1,)))
            paused.forget("c", f"{number}.over", {"w1@h"})

    celtops = [threading.Thread(target=pause, args=(number,)) for number in range(8)]
    for celtop in celtops:
        celtop.start()
    for celtop in celtops:
        celtop.join()
    assert len(PausedQueues(tmp_path / "p.json").all("c")) == 40


def test_a_pause_records_its_user_and_time(tmp_path: Path) -> None:
    paused = PausedQueues(tmp_path / "paused.json")
    before = time.time()
    paused.remember("c", PauseQueue(queue="q", consumers=(W1, W2)))
    (pause,) = paused.pauses("c").values()
    assert pause.workers == ("w1@h", "w2@h") and pause.by == user_name()
    assert pause.at is not None and before <= pause.at <= time.time()
    paused.path.write_text('{"c": {"q": [{"worker": "w1@h"}]}}')
    assert paused.pauses("c") == {"q": Pause(("w1@h",))}


def test_the_same_worker_is_replaced_and_others_are_added(tmp_path: Path) -> None:
    paused = PausedQueues(tmp_path / "paused.json")
    paused.remember("c", PauseQueue(queue="q", consumers=(W1,)))
    again = Consumer("w1@h", "other", "direct", "b")
    paused.remember("c", PauseQueue(queue="q", consumers=(W2, again)))
    paused.remember("c", PauseQueue(queue="r", consumers=(W1,)))
    assert paused.all("c")["q"].consumers == (again, W2)
    assert set(paused.all("c")) == {"q", "r"}


def test_only_those_that_resumed_are_forgotten(tmp_path: Path) -> None:
    paused = PausedQueues(tmp_path / "paused.json")
    paused.remember("c", PauseQueue(queue="q", consumers=(W1, W2)))
    paused.forget("c", "q", {"w1@h", "nobody@h"})
    assert paused.all("c")["q"].consumers == (W2,)
    paused.forget("c", "q", {"w2@h"})
    assert paused.all("c") == {}
    paused.forget("never", "heard", {"w2@h"})


def test_it_is_over_when_all_consume_the_queue_again() -> None:
    pause = PauseQueue(queue="q", consumers=(W1, W2))
    other, again = WorkerQueue("other"), WorkerQueue("q")

    def over(*workers: Worker, paused_at: float | None = 10.0) -> bool:
        return is_over(pause, paused_at, {one.name: one for one in workers})

    def worker(name: str, *queues: WorkerQueue, at: float = 11.0) -> Worker:
        return Worker(name, queues=queues, facts={"active_queues": Fact(answered_at=at)})

    first, second = worker("w1@h", other, again), worker("w2@h", again)
    assert not over()
    assert not over(first)
    assert not over(first, worker("w2@h", other), worker("x@h", again))
    assert not over(first, Worker("w2@h"))
    assert over(first, second)
    before = worker("w2@h", again, at=9.0)
    assert not over(first, before)
    assert over(first, before, paused_at=None)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"c": {"q": [{"worker": 7}]}}', b"\xff"])
def test_a_broken_file_is_reported_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "paused.json"
    path.write_bytes(content)
    paused = PausedQueues(path)
    assert paused.all("c") == {}
    assert paused.error is not None and "cannot read" in paused.error
    paused.forget("c", "q", {"w"})
    assert path.read_bytes() == content
    paused.remember("c", PauseQueue(queue="q", consumers=(W1,)))
    assert paused.error is None and set(paused.all("c")) == {"q"}
    assert path.with_suffix(".broken").read_bytes() == content


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    paused = PausedQueues(tmp_path / "file" / "paused.json")
    with pytest.raises(OSError):
        paused.remember("c", PauseQueue(queue="q", consumers=(W1,)))
    assert paused.all("c") == {}


def test_a_cluster_is_known_without_its_password() -> None:
    def of(**settings: object) -> str:
        return BrokerConnection(Settings.model_validate(settings)).identity

    plain = of(broker_url="redis://user:hunter2@h/1")
    assert "hunter2" not in plain
    assert plain == of(broker_url="redis://user:other@h/1")
    others = {
        of(broker_url="redis://user:hunter2@h/2"),
        of(broker_url="redis://user:hunter2@h/1", control_exchange="mine"),
        of(
            broker_url="redis://user:hunter2@h/1",
            broker_transport_options={"global_keyprefix": "p"},
        ),
    }
    assert plain not in others and len(others) == 3


def test_a_queue_whose_consumers_only_drains_cancelled_is_marked(tmp_path: Path) -> None:
    paused = PausedQueues(tmp_path / "paused.json")
    paused.remember("c", PauseQueue(queue="q", consumers=(W1,)), drained=True)
    assert paused.pauses("c")["q"].drained
    paused.remember("c", PauseQueue(queue="q", consumers=(W2,)))
    assert not paused.pauses("c")["q"].drained
