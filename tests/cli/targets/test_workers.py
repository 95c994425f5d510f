"""The workers that a command addresses: by name, by pattern, or all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from celtop.cli.exit_codes import InvalidUsage, TimedOut
from celtop.cli.targets.workers import resolve_workers
from celtop.cluster.connection import mailboxes
from celtop.cluster.connection.mailboxes import Mailboxes
from celtop.cluster.session import Session
from celtop.model.entities.fact import NEVER_ASKED


def session(*names: str) -> Session:
    """Return a session with some workers."""
    broker = SimpleNamespace(fault=None)
    state = SimpleNamespace(
        present_workers=lambda now: tuple(sorted(names)),
        broker=broker,
        fact=lambda question: NEVER_ASKED,
    )
    return cast(Session, SimpleNamespace(state=state, settings=None))


class TestAddressing:
    """Workers by name, pattern or all of them."""

    there = session("geo1@a", "geo2@b", "mail@a")

    def test_all(self) -> None:
        assert resolve_workers(self.there) == ("geo1@a", "geo2@b", "mail@a")

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
        assert resolve_workers(self.there, patterns) == meant

    def test_a_full_name_with_the_characters_of_patterns(self) -> None:
        names = ("a b[red].x*y@höst:1", "a br@h", "x*y@h", "x-y@h", "one,two@h", "one@h")
        for name in names:
            assert resolve_workers(session(*names), (name,)) == (name,)
            short = name.split("@")[0]
            assert resolve_workers(session(*names), (short,)) == (name,)
        assert resolve_workers(session(*names), ("a b[red].*",)) == (names[0],)
        assert resolve_workers(session(*names), ("one,x*",)) == ("one@h", "x*y@h", "x-y@h")

    @pytest.mark.parametrize("pattern", ["male", "nope*", "*@nowhere"])
    def test_that_matches_no_worker(self, pattern: str) -> None:
        with pytest.raises(InvalidUsage, match="geo1@a, geo2@b, mail@a"):
            resolve_workers(self.there, (pattern,))

    @pytest.mark.parametrize("patterns", [(), ("a*",)])
    def test_without_workers(self, patterns: tuple[str, ...]) -> None:
        with pytest.raises(TimedOut):
            resolve_workers(session(), patterns)


class TestSilentWorkers:
    """Workers that do not reply but have a mailbox on the broker."""

    @pytest.fixture(autouse=True)
    def _mailboxes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: Mailboxes | None = Mailboxes(frozenset({"a@x", "busy@x"}), 2)
        monkeypatch.setattr(mailboxes, "mailboxes", lambda settings: self.found)

    def test_a_connected_worker_is_addressed_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert resolve_workers(session("a@x")) == ("a@x", "busy@x")
        assert "busy@x: no reply, but connected" in capsys.readouterr().err

    def test_a_connected_worker_is_found_by_its_short_name(self) -> None:
        assert resolve_workers(session("a@x"), ("busy",)) == ("busy@x",)

    def test_a_dead_worker_is_not_addressed(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.found = Mailboxes(frozenset({"a@x", "busy@x"}), 1)
        assert resolve_workers(session("a@x")) == ("a@x",)
        assert not capsys.readouterr().err

    def test_the_connected_one_of_several_is_not_guessed(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.found = Mailboxes(frozenset({"a@x", "busy@x", "dead@x"}), 2)
        assert resolve_workers(session("a@x")) == ("a@x",)
        assert (
            "1 of these workers did not reply but will receive the command"
            in capsys.readouterr().err
        )

    def test_a_broker_that_does_not_list_mailboxes(self) -> None:
        self.found = None
        assert resolve_workers(session("a@x")) == ("a@x",)
