"""The verdicts and texts of replies."""

from __future__ import annotations

from celtop.cluster.connection.replies import Reply
from celtop.cluster.operations.replies import MAX_REPLY_LENGTH, to_answer
from celtop.model.operations.outcome import Answer


def answer(value: object = None, error: str | None = None) -> Answer:
    return to_answer(Reply("w@h", "any", value, error))


def test_passwords_in_replies_are_masked() -> None:
    url = "redis://user:hunter2@host/0"
    for told in (answer(error=f"OperationalError({url!r})"), answer({"ok": f"{url} is used"})):
        assert "hunter2" not in told.text and "host" in told.text


def test_long_replies_are_cut_and_odd_ones_are_no_errors() -> None:
    assert (
        len(answer({"ok": "x" * 10_000}).text)
        == len(answer(error="x" * 10_000).text)
        == MAX_REPLY_LENGTH
    )
    assert answer(None) == answer([]) == Answer("confirmed")
    assert answer({"ok": None}) == Answer("confirmed")
