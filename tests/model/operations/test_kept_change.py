"""When a change that celtop remembers is over, and which workers have to be asked for it."""

from __future__ import annotations

from celtop.model.entities.fact import Fact
from celtop.model.entities.worker import Limits, Worker, WorkerQueue
from celtop.model.operations.commands import AddConsumer, CancelConsumer, RateLimit
from celtop.model.operations.kept_change import SETTLED_AFTER, KeptChange, ended, to_ask

AT = 100.0
LATER = AT + SETTLED_AFTER + 9.0
LIMIT = KeptChange(
    RateLimit(workers=("w1", "w2"), task="t", rate="10/m"),
    (RateLimit(workers=("w1", "w2"), task="t", rate="0"),),
    AT,
)
ADDED = KeptChange(
    AddConsumer(workers=("w1",), queue="q"), (CancelConsumer(workers=("w1",), queue="q"),), AT
)


def cluster(at: float, **rates: str | None) -> dict[str, Worker]:
    """Return workers that have reported at a time; the rate limit of task `t` by worker."""
    found = {}
    for name, rate in rates.items():
        worker = found[name] = Worker(name, queues=(WorkerQueue("mail"),), initial_limits={})
        worker.limits = {"t": Limits(rate)} if rate else {}
        fact = Fact(asked_at=at - 1.0, answered_at=at)
        worker.facts = {"registered": fact, "active_queues": fact}
    return found


def test_a_change_is_over_when_all_its_workers_have_reported_that_they_lack_it() -> None:
    assert ended([LIMIT], cluster(LATER, w1=None, w2="5/m")) == [LIMIT]
    assert ended([LIMIT], cluster(LATER, w1=None, w2="10/m")) == []
    assert ended([LIMIT], cluster(LATER, w1=None)) == [], "w2 may be back any time"
    assert ended([LIMIT], cluster(AT + 1, w1=None, w2=None)) == [], "may be from before it"


def test_a_change_below_a_later_one_that_lasts_is_not_over() -> None:
    later = KeptChange(
        RateLimit(workers=("w1", "w2"), task="t", rate="5/m"), (LIMIT.operation,), AT + 1
    )
    other = KeptChange(RateLimit(workers=("w1",), task="u", rate="5/m"), (), AT + 2)
    now = cluster(LATER, w1="5/m", w2="5/m")
    assert ended([LIMIT, later, other], now) == [other]
    restarted = cluster(LATER, w1=None, w2=None)
    assert ended([LIMIT, later], restarted) == [later, LIMIT]


def test_an_added_consumer_of_a_paused_queue_is_not_over() -> None:
    assert ended([ADDED], cluster(LATER, w1=None), {"q": None}) == []
    assert ended([ADDED], cluster(LATER, w1=None), {"other": None}) == [ADDED]


def test_workers_whose_report_is_older_than_a_change_are_asked() -> None:
    workers = cluster(AT - 1.0, w1=None, w2=None)
    assert to_ask([LIMIT, ADDED], workers) == {"registered": {"w1", "w2"}, "active_queues": {"w1"}}
    workers["w1"].facts["registered"] = Fact(asked_at=AT + 1.0, answered_at=AT - 1.0)
    workers["w2"].lost_at = AT
    assert to_ask([LIMIT], workers) == {}
    workers = cluster(AT + 1.0, w1=None)
    assert to_ask([LIMIT], workers) == {}
    workers["w1"].facts = {}
    assert to_ask([LIMIT], workers) == {}, "it has yet to report at all"
