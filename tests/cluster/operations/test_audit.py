"""The audit file: its lines, its permissions, and that it holds no secrets."""

from __future__ import annotations

import json
import os
import stat
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from celtop.cluster.operations.audit import Audit
from celtop.model.entities.fault import Fault
from celtop.model.ingest.redaction import Redaction
from celtop.model.operations.call import Call, SentTask
from celtop.model.operations.commands import Ping, Retry, Revoke, Trigger
from celtop.model.operations.outcome import Answer, Outcome, PublishedTask

NOON = 1_700_000_000.0


def written(path: Path, outcome: Outcome, *patterns: str) -> dict[str, Any]:
    audit = Audit(path, lambda: "redis://:***@host/0", Redaction(patterns).value)
    assert audit.write("ended", outcome, NOON) is None
    line = path.read_text().splitlines()[-1]
    return dict(json.loads(line))


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "celtop" / "audit.jsonl"
    written(path, Outcome(1, Ping(workers=("w1",)), NOON))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_line_has_user_time_operation_and_outcome(tmp_path: Path) -> None:
    targets = {str(number): Answer("confirmed") for number in range(1000)}
    targets["odd"] = Answer("refused", "it runs on")
    outcome = Outcome(
        7,
        Revoke(ids=tuple(targets), workers=("w1", "w2"), terminate=True, signal="SIGKILL"),
        NOON - 1,
        ended_at=NOON,
        workers={"w1": Answer("confirmed"), "w2": Answer("silent", "no answer")},
        targets=targets,
        fault=Fault("closed", "it closed the connection", ""),
    )
    line = written(tmp_path / "a", outcome)
    assert line["schema"] == "celtop.act/1"
    assert line["at"] == "2023-11-14T22:13:20.000Z"
    assert line["user"] and line["host"]
    assert line["cluster"] == "redis://:***@host/0"
    assert line["command"] == "Revoke"
    assert line["options"]["signal"] == "SIGKILL"
    assert len(line["options"]["ids"]) == 1001
    told = line["outcome"]
    assert told["targets"]["counts"] == {"confirmed": 1000, "refused": 1}
    confirmed, refused = told["targets"]["verdicts"]
    assert len(confirmed["ids"]) == 1000
    assert refused == {"verdict": "refused", "text": "it runs on", "ids": ["odd"]}
    assert told["workers"]["w2"] == {"verdict": "silent", "text": "no answer"}
    assert told["fault"] == "it closed the connection"


def test_arguments_are_written_and_redacted(tmp_path: Path) -> None:
    call = Call(
        "pay",
        args=("4111111111111111", date(2024, 1, 2), Decimal("1.10"), b"\xff"),
        kwargs={"password": "hunter2", "note": "ok"},
        headers={"token": "t0ken"},
    )
    outcome = Outcome(1, Trigger(calls=(call,)), NOON, sent=(PublishedTask("i", "pay", "q", NOON),))
    line = written(tmp_path / "a", outcome, "password", "token", r"\d{13,16}")
    (told,) = line["options"]["calls"]
    assert told["args"] == ["***", "datetime.date(2024, 1, 2)", "Decimal('1.10')", "b'\\xff'"]
    assert told["kwargs"] == {"password": "***", "note": "ok"}
    text = (tmp_path / "a").read_text()
    assert "hunter2" not in text and "t0ken" not in text and "4111" not in text
    assert line["outcome"]["sent"] == [{"id": "i", "name": "pay", "queue": "q", "retry_of": None}]


def test_long_arguments_are_cut_after_they_are_masked(tmp_path: Path) -> None:
    call = Call("t", args=("x" * 1_000_000,), kwargs={"a": "y" * 1_950, "password": "hunter2" * 99})
    line = written(tmp_path / "a", Outcome(1, Trigger(calls=(call,)), NOON), "password")
    (told,) = line["options"]["calls"]
    assert told["args"] == '["' + "x" * 1_998 + "..."
    assert told["kwargs"] == {"a": "y" * 1_950, "password": "***"}


def test_a_retry_has_the_source_of_its_arguments_and_no_raw_message(
    tmp_path: Path,
) -> None:
    call = Call("pay", kwargs={"password": "hunter2"}, queue="q")
    original = SentTask("old", call, "queue", NOON, missing=("ETA",))
    line = written(tmp_path / "a", Outcome(1, Retry(originals=(original,)), NOON), "password")
    (told,) = line["options"]["originals"]
    assert (told["id"], told["source"], told["missing"]) == ("old", "queue", ["ETA"])
    assert "message" not in told
    assert "hunter2" not in (tmp_path / "a").read_text()


def test_hostile_text_stays_one_line_of_json(tmp_path: Path) -> None:
    nasty = 'a"\n{"phase":"ended"}\x1b]0;x\x07\ud800'
    outcome = Outcome(
        1, Revoke(ids=(nasty,), workers=(nasty,)), NOON, targets={nasty: Answer("refused", nasty)}
    )
    line = written(tmp_path / "a", outcome)
    raw = (tmp_path / "a").read_bytes()
    assert raw.count(b"\n") == 1
    assert b"\x1b" not in raw
    assert line["options"]["ids"] == ['a"\n{"phase":"ended"}\x1b]0;x\x07?']


def test_two_may_write_at_once(tmp_path: Path) -> None:
    outcome = Outcome(1, Revoke(ids=tuple(map(str, range(2000))), workers=("w",)), NOON)

    def write() -> None:
        audit = Audit(tmp_path / "a", lambda: "x")
        for _ in range(50):
            assert audit.write("begun", outcome, NOON) is None

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "a").read_text().splitlines()
    assert len(lines) == 200
    assert all(json.loads(line)["phase"] == "begun" for line in lines)


def test_a_directory_is_reported(tmp_path: Path) -> None:
    audit = Audit(tmp_path, lambda: "x")
    why = audit.write("begun", Outcome(1, Ping(workers=()), NOON), NOON)
    assert why is not None and "directory" in why


def test_none_at_all_is_no_trouble() -> None:
    assert Audit(None, lambda: "x").write("begun", Outcome(1, Ping(workers=()), NOON), NOON) is None


def test_a_file_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    path, link = tmp_path / "open.jsonl", tmp_path / "link.jsonl"
    path.write_text("")
    path.chmod(0o644)
    link.symlink_to(path)
    audit = Audit(link, lambda: "redis://h/0")
    outcome = Outcome(1, Ping(workers=("w1",)), 1.0)
    assert audit.write("begun", outcome, 1.0) is None
    assert path.stat().st_mode & 0o777 == 0o600
    remarks = audit.take_remarks()
    assert len(remarks) == 2 and "symbolic link" in remarks[0] and "other users" in remarks[1]
    assert audit.write("ended", outcome, 2.0) is None
    assert audit.take_remarks() == []
    assert len(path.read_text().splitlines()) == 2


def test_a_pipe_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    outcome = Outcome(1, Ping(workers=("w1",)), 1.0)
    for path in (pipe, Path("/dev/null")):
        problem = Audit(path, lambda: "redis://h/0").write("begun", outcome, 1.0)
        assert problem is not None and str(path) in problem
