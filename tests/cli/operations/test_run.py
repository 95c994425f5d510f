"""What all operations share: the workers they address, and their exit codes."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.cli.exit_codes import ExitCode
from celtop.cli.operations.ask import confirmation_lines
from celtop.cli.operations.run import exit_code, outcome_lines
from celtop.model.confirm.dispatch import Confirmation
from celtop.model.entities.fault import Fault
from celtop.model.operations.commands import PoolGrow, Revoke
from celtop.model.operations.outcome import Answer, Outcome, Verdict


def outcome(*verdicts: Verdict, **fields: Any) -> Outcome:
    """Return the outcome of growing pools, with a worker for each verdict."""
    answers = {f"w{n}@h": Answer(verdict, "words") for n, verdict in enumerate(verdicts)}
    command = PoolGrow(workers=tuple(answers))
    return Outcome(1, command, 0.0, 1.0, workers=answers, **fields)


@pytest.mark.parametrize(
    ("came", "code"),
    [
        (outcome("confirmed", "confirmed"), ExitCode.OK),
        (outcome("confirmed", "refused"), ExitCode.FAILED),
        (outcome("silent", "refused"), ExitCode.FAILED),
        (outcome("confirmed", "silent"), ExitCode.TIMEOUT),
        (outcome("confirmed", "unsure"), ExitCode.FAILED),
        (outcome("unsent", fault=Fault("refused", "gone", "")), ExitCode.UNREACHABLE),
        (outcome(refusal="read-only"), ExitCode.FAILED),
        (outcome(refusal="read-only", fault=Fault("refused", "gone", "")), ExitCode.FAILED),
    ],
)
def test_exit_codes(came: Outcome, code: ExitCode) -> None:
    assert exit_code(came) == code


def test_control_characters_of_a_reply_are_escaped() -> None:
    nasty = {"w\x1b[2J@h": Answer("refused", "no\nmore\x9b31m")}
    lines = outcome_lines(
        Outcome(1, Revoke(ids=("1",), workers=tuple(nasty)), 0.0, 1.0, workers=nasty)
    )
    assert all(line.isprintable() for line in lines)
    asked = Confirmation("Revoke", "Revoke\x1b", ("\r\x07",), ("\u202e",), ("\n",))
    assert all(line.isprintable() for line in confirmation_lines(asked))
