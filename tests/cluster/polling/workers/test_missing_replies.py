from __future__ import annotations

from celtop.cluster.connection.mailboxes import Mailboxes
from celtop.cluster.connection.replies import Replies, Reply
from celtop.cluster.events.roster import Roster
from celtop.cluster.polling.workers.missing_replies import MissingReplies


def silent_worker(names: set[str], listening: int, asked: tuple[str, ...] = ()) -> str | None:
    replies = Replies(["stats", "conf"])
    replies.add(Reply("a@h", "stats", {}, None))
    fault = MissingReplies(Roster()).silent_worker(
        replies, ("a@h", *asked), Mailboxes(frozenset(names), listening)
    )
    return None if fault is None else fault.problem


def test_a_connected_worker_without_replies_and_heartbeats_is_named() -> None:
    text = "connected to the broker, but sent no replies and no heartbeats"
    assert silent_worker({"a@h", "b@h"}, 2) == f"1 worker (b@h) {text}"
    assert silent_worker({"a@h", "b@h", "killed@h"}, 2) == f"1 worker (name unknown) {text}"


def test_killed_late_and_foreign_subscribers_are_no_silent_workers() -> None:
    assert silent_worker({"a@h", "killed@h"}, 1) is None
    assert silent_worker({"a@h", "late@h", "killed@h"}, 2, asked=("late@h",)) is None
    assert silent_worker({"a@h"}, 3) is None
    assert silent_worker({"a@h"}, 0) is None
