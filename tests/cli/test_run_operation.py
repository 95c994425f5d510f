"""What acting commands share: whom they address, and what their exit codes say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from celtop.cli.ask import described
from celtop.cli.exit_codes import ExitCode, Misuse
from celtop.cli.run_operation import exit_code, worded
from celtop.cli.workers import NobodyThere, workers
from celtop.cluster.connection import mailboxes
from celtop.cluster.connection.mailboxes import Mailboxes
from celtop.cluster.session import Session
from celtop.model.confirm.dispatch import Confirmation
from celtop.model.entities.fault import Fault
from celtop.model.operations.commands import PoolGrow, Revoke
from celtop.model.operations.outcome import Answer, Outcome, Verdict


def session(*names: str) -> Session:
    """Return what knows of some workers."""
    state = SimpleNamespace(present_workers=lambda now: tuple(sorted(names)))
    return cast(Session, SimpleNamespace(state=state, settings=None))


class TestAddressing:
    """Workers by name, pattern or all of them."""

    there = session("geo1@a", "geo2@b", "mail@a")

    def test_all(self) -> None:
        assert workers(self.there) == ("geo1@a", "geo2@b", "mail@a")

    @pytest.mark.parametrize(
        ("patterns", "meant"),
        [
            (("mail@a",), ("mail@a",)),
            (("mail",), ("mail@a",)),
            (("geo*",), ("geo1@a", "geo2@b")),
            (("*@a",), ("geo1@a", "mail@a")),
            (("mail", "mail@a", "geo2"), ("geo2@b", "mail@a")),
            (("busy@solo",), ("busy@solo",)),
        ],
    )
    def test_by_pattern(self, patterns: tuple[str, ...], meant: tuple[str, ...]) -> None:
        assert workers(self.there, patterns) == meant

    @pytest.mark.parametrize("pattern", ["male", "nope*", "*@nowhere"])
    def test_that_means_nobody(self, pattern: str) -> None:
        with pytest.raises(Misuse, match="geo1@a, geo2@b, mail@a"):
            workers(self.there, (pattern,))

    @pytest.mark.parametrize("patterns", [(), ("a*",)])
    def test_nobody_there(self, patterns: tuple[str, ...]) -> None:
        with pytest.raises(NobodyThere):
            workers(session(), patterns)


class TestQuietOnes:
    """Workers that say nothing, but have a mailbox on the broker."""

    @pytest.fixture(autouse=True)
    def _mailboxes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: Mailboxes | None = Mailboxes(frozenset({"a@x", "busy@x"}), 2)
        monkeypatch.setattr(mailboxes, "mailboxes", lambda settings: self.found)

    def test_one_that_lives_is_told_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert workers(session("a@x")) == ("a@x", "busy@x")
        assert "busy@x did not answer, but listens" in capsys.readouterr().err

    def test_one_that_lives_is_found_by_its_short_name(self) -> None:
        assert workers(session("a@x"), ("busy",)) == ("busy@x",)

    def test_one_that_died_is_not(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.found = Mailboxes(frozenset({"a@x", "busy@x"}), 1)
        assert workers(session("a@x")) == ("a@x",)
        assert not capsys.readouterr().err

    def test_which_one_lives_is_not_guessed(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.found = Mailboxes(frozenset({"a@x", "busy@x", "dead@x"}), 2)
        assert workers(session("a@x")) == ("a@x",)
        assert "1 more that did not answer" in capsys.readouterr().err

    def test_where_the_broker_does_not_tell(self) -> None:
        self.found = None
        assert workers(session("a@x")) == ("a@x",)


def outcome(*verdicts: Verdict, **fields: Any) -> Outcome:
    """Return what came of growing pools, with a worker for each verdict."""
    answers = {f"w{n}@h": Answer(verdict, "words") for n, verdict in enumerate(verdicts)}
    command = PoolGrow(workers=tuple(answers))
    return Outcome(1, command, 0.0, 1.0, workers=answers, **fields)


@pytest.mark.parametrize(
    ("came", "code"),
    [
        (outcome("confirmed", "confirmed"), ExitCode.OK),
        (outcome("confirmed", "refused"), ExitCode.NO),
        (outcome("silent", "refused"), ExitCode.NO),
        (outcome("confirmed", "silent"), ExitCode.TIMEOUT),
        (outcome("confirmed", "unsure"), ExitCode.NO),
        (outcome("unsent", fault=Fault("refused", "gone", "")), ExitCode.UNREACHABLE),
        (outcome(refusal="read-only"), ExitCode.NO),
        (outcome(refusal="read-only", fault=Fault("refused", "gone", "")), ExitCode.NO),
    ],
)
def test_exit_codes(came: Outcome, code: ExitCode) -> None:
    assert exit_code(came) == code


def test_what_a_worker_says_does_not_reach_the_terminal_raw() -> None:
    nasty = {"w\x1b[2J@h": Answer("refused", "no\nmore\x9b31m")}
    lines = worded(Outcome(1, Revoke(ids=("1",), workers=tuple(nasty)), 0.0, 1.0, workers=nasty))
    assert all(line.isprintable() for line in lines)
    asked = Confirmation("Revoke", "Revoke\x1b", ("\r\x07",), ("\u202e",), ("\n",))
    assert all(line.isprintable() for line in described(asked))
