from __future__ import annotations

import pytest
from celtop.export.encoding import text
from celtop.export.encoding.tables import Column, fit, flow, plain, table, wrap
from celtop.export.snapshot.document import snapshot_document
from celtop.model.entities.task import Progress
from celtop.model.state import ClusterState
from celtop.tests.export.conftest import HOSTILE, NOW, context, run_task
from rich.cells import cell_len


def render(state: ClusterState, width: int, limit: int = 50) -> str:
    return text.render(snapshot_document(context(state), limit=limit), width)


def filled(state: ClusterState) -> ClusterState:
    run_task(state, 1, {"type": "task-succeeded", "result": "3", "runtime": 0.5}, args=HOSTILE)
    run_task(state, 2, {"type": "task-failed", "exception": "Boom('x')", "traceback": "T\nE"})
    run_task(state, 3, {}, name="\u753b\u50cf.\u5909\u63db")
    return state


def test_the_tables(state: ClusterState) -> None:
    out = render(filled(state), 132).splitlines()
    assert out[0] == "celtop snapshot at 2026-09-21T14:13:20.000Z"
    assert out[1] == "broker  redis://***@localhost/0  live  latency 4 ms, 12 commands sent"
    assert out[2] == "tasks   3 in memory  FAILURE 1  STARTED 1  SUCCESS 1"
    assert out[3] == "events  12, lost 0, malformed 0, succeeded 0/s, failed 0/s"
    rows = [" ".join(line.split()) for line in out]
    assert rows[4:16] == [
        "",
        "Workers (2)",
        "Status Worker Pool Busy Processed Failed/seen Load Queues Last seen Peak RSS Reserved",
        "offline old@b ? shut down 1 m 30 s ago ? - ? ? 1 m 30 s ? ?",
        "online w1@a prefork ##-------- 1/4 9 1/2 0.50 0.25 0.12 celery 0 s 2.0 MiB 0",
        "",
        "Queues (3)",
        "Queue Status Waiting Trend In Out Drains in Delayed Slots Backlog Unacked Oldest due"
        " Oldest Consumers",
        "celery empty 0 . ? ? 0 s ? ? 0 - - w1@a",
        "idle no consumers 7 -@ 0.2/s 0/s - ? ? 0 ? >= 20 s none",
        "remote ? ? ? ? ? ? ? ? ? ? none",
        "",
    ]
    tasks = out[out.index("Tasks (3)") + 1 :]
    assert tasks[0].split()[:3] == ["State", "Task", "ID"]
    assert [line.split()[:3] for line in tasks[1:4]] == [
        ["STARTED", "画像.変換", "00000003-aaaa-bb.."],
        ["FAILURE", "app.add", "00000002-aaaa-bb.."],
        ["SUCCESS", "app.add", "00000001-aaaa-bb.."],
    ]
    assert "Boom('x')" in tasks[2]


@pytest.mark.parametrize("width", [1, 2, 10, 40, 60, 80, 100, 120, 139, 140, 200, 400])
def test_lines_fit_the_width_and_are_printable(state: ClusterState, width: int) -> None:
    filled(state)
    state.workers["w1@a"].pool = "\x1b[2J\u65e5\u672c"
    state.queues["idle"].notes = (HOSTILE * 3,)
    for line in render(state, width).splitlines():
        assert cell_len(line) <= max(2, width)
        assert line.isprintable(), repr(line)


def test_control_characters_are_escaped(state: ClusterState) -> None:
    out = render(filled(state), 400)
    assert r"('\x1b[31m[/]<U+202E>\x9b[bold]x', '日本', '<&>')" in out


def test_tasks_beyond_the_limit_are_counted(state: ClusterState) -> None:
    filled(state)
    out = render(state, 120, limit=1).splitlines()
    assert "... and 2 more" in out
    assert any("00000003" in line for line in out)
    assert not any("00000002" in line for line in out)
    assert "... and 3 more" in render(state, 120, limit=0)
    assert "more" not in render(state, 120, limit=3).split("Notes")[0]


def test_full_ids_on_wide_lines(state: ClusterState) -> None:
    filled(state)
    whole = next(iter(state.tasks))
    assert whole in render(state, 200)
    assert whole not in render(state, 100)


def test_an_empty_cluster() -> None:
    out = render(ClusterState(), 80)
    assert "connecting" in out
    assert "Workers (0)" in out
    assert "not connected yet" in out


def test_the_tables_themselves_are_ascii(state: ClusterState) -> None:
    run_task(state, 2, {"type": "task-failed", "exception": "x" * 500, "traceback": "T"})
    assert render(state, 80).isascii()


def test_tables_shrink_the_widest_column_then_drop_from_the_right() -> None:
    columns = [Column("a", min_width=3), Column("bb", right=True), Column("c", min_width=2)]
    rows = [[("xxxxxxxx", ""), ("1", ""), ("yyyy", "")]]

    def drawn(width: int) -> list[str]:
        return [plain(line) for line in table(columns, rows, width)]

    assert drawn(18) == ["a         bb  c", "xxxxxxxx   1  yyyy"]
    assert drawn(13) == ["a    bb  c", "x..   1  yyyy"]
    assert drawn(11) == ["a    bb  c", "x..   1  .."]
    assert drawn(10) == ["a       bb", "xxxx..   1"]
    assert drawn(3) == ["a", "x.."]


def test_fitting_counts_cells() -> None:
    assert fit("\u65e5\u672c\u8a9e", 8) == "\u65e5\u672c\u8a9e  "
    assert fit("\u65e5\u672c\u8a9e", 5) == "\u65e5 .."
    assert fit("ab", 4, right=True) == "  ab"
    assert fit("abc", 1) == "."
    assert fit("shop.tasks.send", 8, keeps_end=True) == "..s.send"
    assert fit("\u65e5\u672c\u8a9e", 5, keeps_end=True) == "..\u8a9e "
    assert fit("\u65e5" * 9 + "\u8a9e", 19, keeps_end=True) == ".." + "\u65e5" * 7 + "\u8a9e "


def test_flow_and_wrap() -> None:
    cells = [("one", ""), ("  ", ""), ("two", ""), ("  ", ""), ("three", "")]
    assert [plain(line) for line in flow(cells, 8)] == ["one  two", "three"]
    assert [plain(line) for line in flow([("a ", ""), ("abcdef", "")], 4)] == ["a", "abcd", "ef"]
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("abcdef gh", 4) == ["abcd", "ef", "gh"]
    assert wrap("for 3 m 46 s or 2.0 s", 8) == ["for", "3 m 46 s", "or 2.0 s"]


def test_running_tasks_show_their_progress(state: ClusterState) -> None:
    filled(state)
    task = next(one for one in state.tasks.values() if one.finished)
    task.state, task.finished_at, task.result, task.exception = "PROGRESS", None, None, None
    task.progress = Progress(1 / 3, at=NOW, text="Creating file 20")
    assert "33 %  Creating file 20" in render(state, 200)
    task.lost_at = NOW
    assert "Creating file 20" not in render(state, 200)
