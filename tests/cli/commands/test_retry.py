"""What `celtop retry` makes of what was found: sent again, or refused in words."""

from __future__ import annotations

import pytest
from celtop.cli.commands.retry import _sorted
from celtop.model.operations.call import Call, SentTask, Unrecoverable

NOWHERE = SentTask("one", Call("a.b", (1,)), "event", 0.0, missing=("callbacks",))
CUT = Unrecoverable("two", "its arguments were cut")


def test_without_a_queue_it_is_not_sent_anywhere() -> None:
    originals, refused = _sorted((NOWHERE, CUT), None)
    assert originals == ()
    assert refused == {
        "one": "its queue is not known; --queue names one",
        "two": "its arguments were cut",
    }


def test_into_the_queue_that_was_named(capsys: pytest.CaptureFixture[str]) -> None:
    [original], refused = _sorted((NOWHERE, CUT), "q")
    assert (original.call.queue, original.call.args) == ("q", (1,))
    assert list(refused) == ["two"]
    told = capsys.readouterr().err
    assert "one: its arguments come from the text in its event" in told
    assert "not known: callbacks" in told
