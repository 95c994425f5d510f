from __future__ import annotations

import dbm.dumb
import os
import pickle
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.beat import ScheduleEntry
from celery.schedules import crontab, schedule, solar
from celtop.cluster.schedule.beat_file import UnreadableFile, read_file
from celtop.cluster.schedule.raw import Plan

AT = datetime(2026, 10, 25, 2, 30, 5, 250_000, UTC)


def write(path: Path, entries: Any, protocol: int | None = None) -> str:
    """Write a schedule file as `shelve` does, with the database that needs no library."""
    data = entries if isinstance(entries, bytes) else pickle.dumps(entries, protocol)
    with dbm.dumb.open(str(path), "n") as database:
        database[b"entries"] = data
    return str(path)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_entries_are_read_without_unpickling(tmp_path: Path, protocol: int) -> None:
    berlin = AT.astimezone(ZoneInfo("Europe/Berlin"))
    entries = {
        "a": ScheduleEntry("a", "t.a", AT, 7, schedule(30), (1, "x"), {"k": 2}, {"queue": "q"}),
        "b": ScheduleEntry("b", "t.b", berlin, 1, crontab(0, 9, "mon-fri"), [date(2026, 1, 1)]),
        "c": ScheduleEntry("c", "t.c", AT, 0, solar("sunset", 48.2, 16.4)),
    }
    a, b, c = read_file(write(tmp_path / "beat", entries, protocol))
    assert (a.name, a.task, a.plan, a.total_runs) == ("a", "t.a", Plan("interval", 30.0), 7)
    assert (a.args, a.kwargs, a.options, a.exact) == ((1, "x"), {"k": 2}, {"queue": "q"}, True)
    assert a.last_run_at == AT.timestamp()
    assert b.plan == Plan("crontab", minute="0", hour="9", day_of_week="mon-fri")
    assert b.last_run_at == AT.timestamp() and not b.exact
    assert c.plan == Plan("solar", event="sunset", latitude=48.2, longitude=16.4)
    assert (c.last_run_at, c.changed_at) == (None, AT.timestamp())


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pwned",)


def test_nothing_in_the_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    entries = {"x": ScheduleEntry("x", "t", AT, 1, schedule(5), [Hostile()]), "y": Hostile()}
    [found] = read_file(write(tmp_path / "beat", entries))
    assert (found.name, found.exact) == ("x", False)
    assert not (tmp_path / "pwned").exists()


def test_what_cannot_be_read_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="there is no such file"):
        read_file(str(tmp_path / "missing"))
    (tmp_path / "text").write_text("not a database at all\n" * 10)
    with pytest.raises(UnreadableFile, match="not a database"):
        read_file(str(tmp_path / "text"))
    with pytest.raises(UnreadableFile, match="without unpickling"):
        read_file(write(tmp_path / "broken", b"garbage"))


def test_the_suffix_of_the_database_may_be_given(tmp_path: Path) -> None:
    write(tmp_path / "beat", {"x": ScheduleEntry("x", "t", AT, 1, schedule(5))})
    assert [one.name for one in read_file(str(tmp_path / "beat.dat"))] == ["x"]
