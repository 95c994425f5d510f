"""The outcome of an operation in words, during and after it."""

from __future__ import annotations

import pytest
from celtop.model.entities.fault import Fault
from celtop.model.operations.call import Call
from celtop.model.operations.commands import (
    Drain,
    Heartbeat,
    PauseQueue,
    PoolGrow,
    Purge,
    PurgeResults,
    Report,
    Retry,
    Revoke,
    Shutdown,
    Trigger,
)
from celtop.model.operations.outcome import MARKED_ONLY, Answer, Outcome, PublishedTask
from celtop.model.operations.summary import MAX_DETAIL_LINES, details, replies, sentence

from ..confirm.test_dispatch import OPERATIONS
from ..operation_cases import CONFIRMED, SILENT, done, original
from ..streams import NOW

IDS = tuple(f"{number:08d}-aaaa-bbbb-cccc-0123456789ab" for number in range(12))
WORKERS = ("a@h", "b@h", "c@h")
REVOKE = Revoke(IDS, WORKERS)
ALL_TARGETS = dict.fromkeys(IDS, CONFIRMED)
ALL_WORKERS = dict.fromkeys(WORKERS, CONFIRMED)
BROKEN = Fault("refused", "Connection refused", "Is the broker running?")


def sent(id_: str) -> PublishedTask:
    return PublishedTask(id_, "geo.resize", "geo", NOW)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: type(operation).__name__)
def test_every_operation_has_words(operation: object) -> None:
    for outcome in (
        done(operation, ended_at=None),  # type: ignore[arg-type]
        done(operation),  # type: ignore[arg-type]
        done(operation, refusal="read-only"),  # type: ignore[arg-type]
        done(operation, workers={"a@h": SILENT}, fault=BROKEN),  # type: ignore[arg-type]
    ):
        assert sentence(outcome)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (
            done(REVOKE, workers=ALL_WORKERS, targets=ALL_TARGETS),
            "Revoked 12 tasks; 3 of 3 workers confirmed",
        ),
        (
            done(
                Revoke(IDS[:2], WORKERS, terminate=True),
                workers=ALL_WORKERS,
                targets={IDS[0]: CONFIRMED, IDS[1]: Answer("confirmed", MARKED_ONLY)},
            ),
            "Terminated 1 of 2 tasks; 3 of 3 workers confirmed; "
            "no worker had 1 of them: only marked as revoked",
        ),
        (
            done(
                Revoke(IDS[:1], WORKERS, terminate=True),
                workers=ALL_WORKERS,
                targets={IDS[0]: Answer("confirmed", MARKED_ONLY)},
            ),
            "Terminated 0 of 1 task; 3 of 3 workers confirmed; "
            "no worker had the task: only marked as revoked",
        ),
        (
            done(REVOKE, workers={**ALL_WORKERS, "c@h": SILENT}, targets=ALL_TARGETS),
            "Revoked 12 tasks; 2 of 3 workers confirmed, c@h did not reply",
        ),
        (
            done(REVOKE, ended_at=None, workers={"a@h": CONFIRMED}, stage="block 1 of 2"),
            "Revoking 12 tasks: 1 of 3 workers replied, block 1 of 2",
        ),
        (
            done(REVOKE, refusal="read-only: nothing was sent"),
            "Did not revoke 12 tasks: read-only: nothing was sent",
        ),
        (
            done(REVOKE, targets=dict.fromkeys(IDS, Answer("unsent")), fault=BROKEN),
            "Did not revoke 12 tasks; 12 not sent; Connection refused. Is the broker running?",
        ),
        (
            done(
                REVOKE, workers=dict.fromkeys(WORKERS, SILENT), targets=dict.fromkeys(IDS, SILENT)
            ),
            "Revoke 12 tasks: result unknown; 0 of 3 workers confirmed, "
            "a@h, b@h and c@h did not reply",
        ),
        (
            done(
                Retry(tuple(map(original, IDS[:4]))),
                targets={
                    **dict.fromkeys(IDS[:3], CONFIRMED),
                    IDS[3]: Answer("refused", "no queue"),
                },
                sent=tuple(map(sent, IDS[4:7])),
            ),
            "Retried 3 of 4 tasks; 1 refused (no queue); "
            "ids 00000004, 00000005 and 00000006, queue geo",
        ),
        (
            done(
                Trigger((Call("geo.resize", queue="geo"),)),
                targets={IDS[0]: CONFIRMED},
                sent=(sent(IDS[0]),),
            ),
            f"Sent geo.resize; id {IDS[0]}, queue geo",
        ),
        (
            done(Purge("geo"), targets={"geo": CONFIRMED}, count=1204),
            "Purged 1,204 messages from geo",
        ),
        (
            done(Purge("geo", "mail.send"), targets={"geo": CONFIRMED}, count=1),
            "Purged 1 message of mail.send from geo",
        ),
        (
            done(
                PurgeResults(filter="finished:>30d", at=0.0, count=12_341),
                targets={"result backend": CONFIRMED},
                count=12_340,
            ),
            "Deleted 12,340 results",
        ),
        (
            done(PoolGrow(WORKERS), workers={**ALL_WORKERS, "b@h": Answer("refused", "autoscale")}),
            "Grew 2 of 3 pools by 1; 2 of 3 workers confirmed, b@h refused (autoscale)",
        ),
        (
            done(Drain(("a@h",)), workers={"a@h": Answer("restored", "consuming mail, as before")}),
            "Cancelled draining a@h; a@h restored (consuming mail, as before)",
        ),
        (
            done(Shutdown(("a@h",)), workers={"a@h": CONFIRMED}),
            "Shut down a@h; 1 of 1 worker confirmed",
        ),
        (
            done(Drain(WORKERS), ended_at=None, stage="3 active, 2 reserved"),
            "Draining 3 workers: 0 of 3 workers drained, 3 active, 2 reserved",
        ),
        (
            done(Heartbeat(WORKERS), workers=ALL_WORKERS, unlogged="disk full"),
            "Requested a heartbeat from 3 workers; 3 of 3 workers confirmed; "
            "not in the audit file: disk full",
        ),
        (
            done(PauseQueue("geo", ()), refusal="no consumers"),
            "Did not pause queue geo: no consumers",
        ),
    ],
)
def test_one_line(outcome: Outcome, told: str) -> None:
    assert sentence(outcome) == told


def test_replies_to_a_read_only_operation_are_listed_by_worker() -> None:
    outcome = done(
        Report(WORKERS),
        workers={
            "b@h": Answer("confirmed", "one line"),
            "a@h": Answer("confirmed", "\nfirst\nsecond\n"),
            "c@h": SILENT,
        },
    )
    assert replies(outcome) == ("a@h:", "first", "second", "b@h: one line")
    assert sentence(outcome) == (
        "Read the report of 3 workers (partly); 2 of 3 workers replied, c@h did not reply"
    )
    assert replies(done(REVOKE, workers=ALL_WORKERS)) == ()


def test_an_unconfirmed_operation_is_not_reported_as_done() -> None:
    for verdict in ("unsure", "unsent", "refused", "silent"):
        answers = dict.fromkeys(IDS, Answer(verdict))
        told = sentence(done(REVOKE, targets=answers, fault=BROKEN))
        assert not told.startswith("Revoked")


def test_details_list_unconfirmed_targets_and_workers_the_worst_first() -> None:
    outcome = done(
        REVOKE,
        workers={"a@h": CONFIRMED, "b@h": SILENT},
        targets={IDS[0]: CONFIRMED, IDS[1]: Answer("refused", "why"), IDS[2]: Answer("unsure")},
    )
    assert details(outcome) == (
        f"{IDS[2]}: possibly not sent",
        f"{IDS[1]}: refused: why",
        "b@h: did not reply",
    )
    many = dict.fromkeys(map(str, range(1000)), SILENT)
    assert len(details(done(REVOKE, targets=many))) == MAX_DETAIL_LINES + 1
    assert details(done(REVOKE, targets=many))[-1] == "and 950 more"
    assert details(done(REVOKE, workers=ALL_WORKERS, targets=ALL_TARGETS)) == ()
