"""What workers answer, as it is told."""

from __future__ import annotations

from celtop.cluster.connection.remote_control import Reply
from celtop.cluster.operations.replies import MAX_REPLY_LENGTH, to_answer
from celtop.model.operations.outcome import Answer


def answer(value: object = None, error: str | None = None) -> Answer:
    return to_answer(Reply("w@h", "any", value, error))


def test_a_worker_that_tells_its_urls_tells_no_password() -> None:
    url = "redis://user:hunter2@host/0"
    for told in (answer(error=f"OperationalError({url!r})"), answer({"ok": f"{url} is used"})):
        assert "hunter2" not in told.text and "host" in told.text


def test_what_is_long_is_cut_and_what_is_no_answer_is_no_error() -> None:
    assert (
        len(answer({"ok": "x" * 10_000}).text)
        == len(answer(error="x" * 10_000).text)
        == MAX_REPLY_LENGTH
    )
    assert answer(None) == answer([]) == Answer("confirmed")
    assert answer({"ok": None}) == Answer("confirmed", "None")
