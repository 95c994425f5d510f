"""The file of changes of limits and consumers."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest
from celtop.files.lasting_changes import MAX_CHANGES, MAX_CLUSTERS, LastingChanges
from celtop.files.state_file import take_messages
from celtop.model.operations.commands import AddConsumer, CancelConsumer, RateLimit, TimeLimit
from celtop.model.operations.kept_change import KeptChange

BOTH = ("w1@h", "w2@h")


def limited(task: str = "t", at: float = 1.0) -> KeptChange:
    """A rate limit that was another one before on each worker."""
    before = tuple(
        RateLimit(workers=(name,), task=task, rate=rate)
        for name, rate in zip(BOTH, ("0", "9/s"), strict=True)
    )
    return KeptChange(RateLimit(workers=BOTH, task=task, rate="1/m"), before, at, "me")


CASES = (
    limited("ü \x1b"),
    KeptChange(
        TimeLimit(workers=BOTH, task="t", soft=None, hard=9.5),
        (TimeLimit(workers=BOTH, task="t", soft=1.0, hard=None),),
        2.0,
    ),
    KeptChange(
        CancelConsumer(workers=BOTH, queue="q"),
        (AddConsumer(workers=BOTH, queue="q", exchange="e", exchange_type=None, routing_key="#"),),
        3.0,
    ),
    KeptChange(
        AddConsumer(workers=BOTH, queue="r"), (CancelConsumer(workers=BOTH, queue="r"),), 4.0
    ),
)


def test_changes_are_read_by_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "lasting.json"
    for change in CASES:
        LastingChanges(path).add("c", change)
    assert LastingChanges(path).all("c") == CASES
    assert LastingChanges(path).all("other") == ()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_change_by_another_process_is_read_and_an_unchanged_file_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, others = LastingChanges(tmp_path / "l.json"), LastingChanges(tmp_path / "l.json")
    assert ours.all("c") == ()
    others.add("c", CASES[0])
    assert ours.all("c") == CASES[:1]
    with monkeypatch.context() as patch:
        patch.setattr("celtop.files.lasting_changes.read_state", None)
        assert ours.all("c") == CASES[:1]
    others.forget("c", CASES[:1])
    assert ours.all("c") == ()
    assert json.loads(ours.path.read_text()) == {}


def test_an_undone_change_is_removed_worker_by_worker(tmp_path: Path) -> None:
    changes = LastingChanges(tmp_path / "l.json")
    changes.undo("c", RateLimit(workers=BOTH, task="t", rate="0"))
    assert not changes.path.exists()
    changes.add("c", limited())
    changes.add("c", limited("other"))
    first, second = limited().inverse
    changes.undo("c", RateLimit(workers=("w1@h",), task="t", rate="5/s"))
    assert changes.all("c")[0] == limited()
    assert isinstance(first, RateLimit) and isinstance(second, RateLimit)
    changes.undo("c", first)
    assert changes.all("c")[0].inverse == (second,)
    changes.undo("c", second)
    assert changes.all("c") == (limited("other"),)


def test_celtops_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    def add(number: int) -> None:
        changes = LastingChanges(tmp_path / "l.json")
        for step in range(5):
            changes.add("c", limited(f"{number}.{step}"))

    writers = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(set(LastingChanges(tmp_path / "l.json").all("c"))) == 40


def test_the_latest_changes_and_clusters_are_kept(tmp_path: Path) -> None:
    changes = LastingChanges(tmp_path / "l.json")
    for number in range(MAX_CHANGES + 2):
        changes.add("c", limited(str(number)))
    kept = [change.operation for change in changes.all("c")]
    assert len(kept) == MAX_CHANGES
    assert kept[-1] == limited(str(MAX_CHANGES + 1)).operation
    for number in range(MAX_CLUSTERS):
        changes.add(str(number), limited())
    assert changes.all("c") == () and changes.all("0") == (limited(),)


def test_entries_of_a_newer_celtop_are_skipped_and_stay(tmp_path: Path) -> None:
    path = tmp_path / "l.json"
    LastingChanges(path).add("c", limited())
    content = json.loads(path.read_text())
    (known,) = content["c"]
    newer = {**known, "operation": {"name": "freeze-worker", "workers": ["w1@h"]}}
    content["c"] += [
        newer,
        {**known, "operation": {"name": ["rate-limit"]}},
        {**known, "operation": {"name": "rate-limit", "workers": [7], "task": "t", "rate": "1/m"}},
        {**known, "inverse": [{}]},
        {**known, "since": "field of a newer celtop"},
    ]
    path.write_text(json.dumps(content))
    assert LastingChanges(path).all("c") == (limited(), limited())
    LastingChanges(path).add("c", CASES[1])
    written = json.loads(path.read_text())["c"]
    assert newer in written and len(written) == 7


@pytest.mark.parametrize("content", [b"", b"[]", b'{"c": [{"at": "now"}]}', b"\xff", b"[" * 5000])
def test_a_damaged_file_is_moved_aside_and_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "l.json"
    path.write_bytes(content)
    assert LastingChanges(path).all("c") == ()
    assert path.with_name("l.json.damaged").read_bytes() == content
    assert [text for text in take_messages() if str(path) in text]
    LastingChanges(path).add("c", limited())
    assert LastingChanges(path).all("c") == (limited(),)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    changes = LastingChanges(tmp_path / "file" / "l.json")
    assert changes.all("c") == ()
    with pytest.raises(OSError):
        changes.add("c", limited())
