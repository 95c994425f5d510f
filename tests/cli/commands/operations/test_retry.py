"""`celtop retry` sends recovered tasks again, or refuses them with a reason."""

from __future__ import annotations

import pytest
from celtop.cli.commands.operations.retry import _sendable
from celtop.model.operations.call import Call, SentTask, Unrecoverable

NOWHERE = SentTask("one", Call("a.b", (1,)), "event", 0.0, missing=("callbacks",))
CUT = Unrecoverable("two", "its arguments were cut")


def test_a_task_with_an_unknown_queue_is_refused() -> None:
    originals, refused = _sendable((NOWHERE, CUT), None)
    assert originals == ()
    assert refused == {
        "one": "its queue is unknown; set one with --queue",
        "two": "its arguments were cut",
    }


def test_the_given_queue_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    [original], refused = _sendable((NOWHERE, CUT), "q")
    assert (original.call.queue, original.call.args) == ("q", (1,))
    assert list(refused) == ["two"]
    printed = capsys.readouterr().err
    assert "one: arguments from its event" in printed
    assert "unknown: callbacks" in printed
