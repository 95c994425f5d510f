"""A list that `--watch` repeats."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from celtop.cli.output import repeated_list
from celtop.cli.output.repeated_list import RepeatedList, over_last, watched
from celtop.cluster.session import Session
from celtop.export.encoding.document import Document
from celtop.export.lists.document import list_document
from celtop.lists.context import ListContext, NoApp
from celtop.model.entities.queue import Queue
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState
from celtop.settings import load_settings

NOW = 1_790_000_000.0


def queues(*depths: int, columns: tuple[str, ...] = ("name", "waiting")) -> Document:
    rows = [Queue(f"q{n}", waiting=depth) for n, depth in enumerate(depths)]
    return list_document("queues", ListContext(ClusterState(), NOW, NoApp()), rows, None, columns)


def repeat(format_name: str = "text", output: Path | None = None) -> RepeatedList:
    return RepeatedList(format_name, output, 2.0, whole=False, utc=True)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated_list, "is_terminal", lambda: True)
    monkeypatch.setenv("LINES", "9")
    monkeypatch.setenv("COLUMNS", "64")


def test_csv_has_one_header_and_the_time_of_each_row(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    repeated = repeat("csv")
    assert repeated.write(queues(3, 4), 2, "broker live", NOW)
    assert repeated.write(queues(5), 1, "broker live", NOW + 60)
    assert list(csv.reader(capfdbinary.readouterr().out.decode().splitlines())) == [
        ["taken_at", "name", "waiting"],
        ["2026-09-21T14:13:20.000Z", "q0", "3"],
        ["2026-09-21T14:13:20.000Z", "q1", "4"],
        ["2026-09-21T14:14:20.000Z", "q0", "5"],
    ]
    repeated.write(queues(6, columns=("name",)), 1, "broker live", NOW)
    assert capfdbinary.readouterr().out.startswith(b"taken_at,name\r\n"), "other columns"


def test_a_file_is_replaced_as_it_is(tmp_path: Path) -> None:
    output = tmp_path / "queues.csv"
    repeated = repeat("csv", output)
    for depth in (3, 4):
        repeated.write(queues(depth), 1, "broker live", NOW)
    assert output.read_bytes() == b"name,waiting\r\nq0,4\r\n"


@pytest.mark.usefixtures("terminal")
def test_a_terminal_is_redrawn_with_a_status_line(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    repeated = repeat()
    assert (repeated.room(None), repeated.room(2)) == (5, 2)
    repeated.write(queues(3), 40, "broker lost: connection refused by the host", NOW)
    out = capfdbinary.readouterr().out.decode()
    assert out.startswith("\x1b[H")
    *_, status, end = out.splitlines()
    assert "14:13:20  40 matching  next at 14:13:22  broker lost: connect.." in status
    assert end == "\x1b[J"


def test_a_terminal_is_drawn_over() -> None:
    assert over_last(b"a\nb\n") == b"\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J"


def test_a_lost_broker_is_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session(load_settings({"broker_url": "memory://"}, {}))
    sources = watched(session, 0.001, silent=False)
    seen = []
    for phase in ("live", "lost", "lost", "live"):
        session.state.observe(ConnectionChanged(phase, NOW))
        seen.append(next(sources))
    assert seen == ["broker live", "broker lost", "broker lost", "broker live"]
    assert capsys.readouterr().err == (
        "celtop: Lost the connection to the broker; reconnecting\n"
        "celtop: Connected to the broker again\n"
    )
