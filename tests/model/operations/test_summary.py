"""What is told of an act, while it goes on and after."""

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
    Retry,
    Revoke,
    Shutdown,
    Trigger,
)
from celtop.model.operations.outcome import FLAGGED, Answer, Outcome, PublishedTask
from celtop.model.operations.summary import DETAILS, details, sentence

from ..confirm.test_dispatch import COMMANDS
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


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_there_are_words_for_every_command(command: object) -> None:
    for outcome in (
        done(command, ended_at=None),  # type: ignore[arg-type]
        done(command),  # type: ignore[arg-type]
        done(command, refusal="read-only"),  # type: ignore[arg-type]
        done(command, workers={"a@h": SILENT}, fault=BROKEN),  # type: ignore[arg-type]
    ):
        assert sentence(outcome)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (
            done(REVOKE, workers=ALL_WORKERS, targets=ALL_TARGETS),
            "revoked 12: 3 of 3 workers confirmed",
        ),
        (
            done(
                Revoke(IDS[:2], WORKERS, terminate=True),
                workers=ALL_WORKERS,
                targets={IDS[0]: CONFIRMED, IDS[1]: Answer("confirmed", FLAGGED)},
            ),
            "terminated 2: 3 of 3 workers confirmed; "
            "no worker had 1 of them, only flagged as revoked",
        ),
        (
            done(
                Revoke(IDS[:1], WORKERS, terminate=True),
                workers=ALL_WORKERS,
                targets={IDS[0]: Answer("confirmed", FLAGGED)},
            ),
            "terminated 1: 3 of 3 workers confirmed; no worker had it, only flagged as revoked",
        ),
        (
            done(REVOKE, workers={**ALL_WORKERS, "c@h": SILENT}, targets=ALL_TARGETS),
            "revoked 12: 2 of 3 workers confirmed, c@h silent",
        ),
        (
            done(REVOKE, ended_at=None, workers={"a@h": CONFIRMED}, stage="block 1 of 2"),
            "revoking 12: 1 of 3 workers so far, block 1 of 2",
        ),
        (
            done(REVOKE, refusal="read-only: nothing was sent"),
            "did not revoke 12: read-only: nothing was sent",
        ),
        (
            done(REVOKE, targets=dict.fromkeys(IDS, Answer("unsent")), fault=BROKEN),
            "did not revoke 12: 12 not sent; Connection refused. Is the broker running?",
        ),
        (
            done(
                REVOKE, workers=dict.fromkeys(WORKERS, SILENT), targets=dict.fromkeys(IDS, SILENT)
            ),
            "revoke 12: not known whether it was done: 0 of 3 workers confirmed, "
            "a@h, b@h and c@h silent",
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
            "retried 3 of 4: 1 refused (no queue); 00000004, 00000005 and 00000006 in geo",
        ),
        (
            done(
                Trigger((Call("geo.resize", queue="geo"),)),
                targets={IDS[0]: CONFIRMED},
                sent=(sent(IDS[0]),),
            ),
            f"sent geo.resize: {IDS[0]} in geo",
        ),
        (
            done(Purge("geo"), targets={"geo": CONFIRMED}, count=1204),
            "purged 1,204 messages from geo",
        ),
        (
            done(Purge("geo", "mail.send"), targets={"geo": CONFIRMED}, count=1),
            "purged 1 message of mail.send from geo",
        ),
        (
            done(PoolGrow(WORKERS), workers={**ALL_WORKERS, "b@h": Answer("refused", "autoscale")}),
            "grew 2 of 3 pools by 1: 2 of 3 workers confirmed, b@h refused (autoscale)",
        ),
        (
            done(Shutdown(("a@h",)), workers={"a@h": CONFIRMED}),
            "shut down a@h: 1 of 1 worker confirmed",
        ),
        (
            done(Drain(WORKERS), ended_at=None, stage="3 active, 2 reserved"),
            "draining 3 workers: 0 of 3 workers so far, 3 active, 2 reserved",
        ),
        (
            done(Heartbeat(WORKERS), workers=ALL_WORKERS, unlogged="disk full"),
            "asked for a heartbeat of 3 workers: 3 of 3 workers confirmed "
            "(not in the audit file: disk full)",
        ),
        (done(PauseQueue("geo", ()), refusal="nobody"), "did not pause geo: nobody"),
    ],
)
def test_one_line(outcome: Outcome, told: str) -> None:
    assert sentence(outcome) == told


def test_nothing_unsure_is_told_as_done() -> None:
    for verdict in ("unsure", "unsent", "refused", "silent"):
        answers = dict.fromkeys(IDS, Answer(verdict))
        told = sentence(done(REVOKE, targets=answers, fault=BROKEN))
        assert not told.startswith("revoked")


def test_details_name_what_was_not_confirmed_the_worst_first() -> None:
    outcome = done(
        REVOKE,
        workers={"a@h": CONFIRMED, "b@h": SILENT},
        targets={IDS[0]: CONFIRMED, IDS[1]: Answer("refused", "why"), IDS[2]: Answer("unsure")},
    )
    assert details(outcome) == (
        f"{IDS[2]}: not known whether sent",
        f"{IDS[1]}: refused: why",
        "b@h: silent",
    )
    many = dict.fromkeys(map(str, range(1000)), SILENT)
    assert len(details(done(REVOKE, targets=many))) == DETAILS + 1
    assert details(done(REVOKE, targets=many))[-1] == "and 950 more"
    assert details(done(REVOKE, workers=ALL_WORKERS, targets=ALL_TARGETS)) == ()
