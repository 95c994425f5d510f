"""Value tree, traceback, timeline and fields: what the detail screens are made of."""

from __future__ import annotations

import pytest
from celtop.model.entities.task import Attempt, Task
from celtop.tests.widgets.screen_text import shown
from celtop.widgets.charts.timeline import Phase, Timeline, tries
from celtop.widgets.fields import Field, Fields
from celtop.widgets.glyphs import ASCII
from celtop.widgets.traceback_view import LONGEST, TracebackView, highlighted
from celtop.widgets.value_tree import FEW, ValueTree

HOSTILE = "[/][link=x]\x1b[2J\u202e\n\x07"
SHOWN = "[/][link=x]\\x1b[2J<U+202E>"


async def test_values_open_into_trees() -> None:
    tree = ValueTree()
    async with shown(tree, 60, 12) as screen:
        tree.show({"args": "(1, 'two')", "kwargs": '{"deep": {"er": null}}', "result": None})
        await screen.settle()
        assert [line.rstrip() for line in screen.lines[:7]] == [
            "▾ args  tuple of 2",
            "├ 0  1",
            '└ 1  "two"',
            "▾ kwargs  object of 1",
            "└ ▸ deep  object of 1",
            "result  ?",
            "",
        ]
        tree.cursor_line = 4
        tree.action_open()
        await screen.settle()
        assert [line.strip() for line in screen.lines[4:6]] == [
            "└ ▾ deep  object of 1",
            "└ er  None",
        ]
        tree.action_move("bottom")
        await screen.settle()
        assert tree.cursor_line == 6


async def test_texts_that_are_no_values_are_shown_raw() -> None:
    tree = ValueTree()
    async with shown(tree, 70, 6) as screen:
        tree.show({"args": "('C:\\new', ...)", "kwargs": HOSTILE})
        await screen.settle()
        assert screen.lines[0] == "args  ('C:\\new', ...)"
        assert screen.lines[1] == f"kwargs  {SHOWN}\\n\\x07"


async def test_hostile_values_inside_a_tree() -> None:
    tree = ValueTree()
    async with shown(tree, 70, 6) as screen:
        tree.show({"kwargs": '{"[/]\\u001b": "[b]\\u001b[31m\\u202e"}'})
        await screen.settle()
        assert screen.lines[1] == '└ [/]\\x1b  "[b]\\x1b[31m<U+202E>"'


async def test_long_values_are_opened_piece_by_piece() -> None:
    tree = ValueTree()
    async with shown(tree, 70, 8) as screen:
        tree.show({"result": repr(list(range(1000))), "text": "x" * 10_000_000})
        await screen.settle()
        assert len(tree.root.children) == 2
        items, text = tree.root.children
        assert not items.children
        items.expand()
        await screen.settle()
        assert len(items.children) == FEW + 1
        assert str(items.children[-1].label) == "800 more"
        items.children[-1].expand()
        await screen.settle()
        assert str(items.children[-1].children[0].label) == f"{FEW}  {FEW}"
        text.expand()
        await screen.settle()
        assert len(text.children) == FEW + 1


async def test_a_tree_in_ascii() -> None:
    tree = ValueTree(glyphs=ASCII)
    async with shown(tree, 60, 6) as screen:
        tree.show({"args": "(1, [2])"})
        await screen.settle()
        assert all(line.isascii() for line in screen.lines)
        assert screen.lines[0] == "- args  tuple of 2"


TRACEBACK = f"""Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/celery/app/trace.py", line 477, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/app/tasks.py", line 9, in convert
    raise ValueError("{HOSTILE[:-2]}")
    ^^^^^^^^^^^^^^^^
ValueError: no such band [/]
"""


async def test_a_traceback_stands_as_it_is() -> None:
    view = TracebackView(TRACEBACK)
    async with shown(view, 100, 10) as screen:
        assert screen.lines[0] == "Traceback (most recent call last):"
        assert screen.lines[3] == '  File "/app/tasks.py", line 9, in convert'
        assert screen.lines[4] == f'    raise ValueError("{SHOWN}")'
        assert screen.lines[6] == "ValueError: no such band [/]"


def test_the_reason_and_our_own_files_stand_out() -> None:
    content = highlighted(TRACEBACK)
    styles = {content.plain[span.start : span.end]: str(span.style) for span in content.spans}
    assert styles["ValueError: no such band [/]"] == "bold $text-error"
    assert styles['"/app/tasks.py"'] == "$text-accent"
    assert styles['"/venv/lib/python3.11/site-packages/celery/app/trace.py"'] == "$text-muted"


async def test_a_traceback_scrolls_and_starts_at_its_end() -> None:
    view = TracebackView()
    async with shown(view, 40, 5) as screen:
        view.show("\n".join(f"line {number}" for number in range(50)))
        await screen.settle()
        await screen.until(lambda: screen.lines[-1].startswith("line 49"))
        view.action_move("top")
        await screen.settle()
        assert screen.lines[0].startswith("line 0")
        view.action_move("page_down")
        await screen.settle()
        assert screen.lines[0].startswith("line 4")


def test_a_huge_traceback_is_cut() -> None:
    content = highlighted("x" * (LONGEST + 5))
    assert content.plain.endswith("5 more characters]")


def task(**fields: object) -> Task:
    return Task(id="t", **fields)  # type: ignore[arg-type]


def test_the_phases_of_a_task() -> None:
    (only,) = tries(
        task(state="SUCCESS", sent_at=10, received_at=12, started_at=15, finished_at=20), 99.0
    )
    assert only.phases == (
        Phase("queue", 10, 12),
        Phase("worker", 12, 15),
        Phase("run", 15, 20),
    )


@pytest.mark.parametrize(
    ("fields", "phases"),
    [
        ({"sent_at": 10}, (Phase("queue", 10, 30),)),
        ({"received_at": 10}, (Phase("worker", 10, 30),)),
        ({"sent_at": 10, "started_at": 20}, (Phase("queue", 10, 20), Phase("run", 20, 30))),
        (
            {"sent_at": 10, "received_at": 9, "started_at": 20},
            (Phase("worker", 9, 20), Phase("run", 20, 30)),
        ),
        ({}, ()),
        ({"state": "REVOKED", "sent_at": 10, "state_at": 12}, (Phase("queue", 10, 12),)),
    ],
    ids=range(6),
)  # fmt: skip
def test_what_is_not_known_or_not_over(
    fields: dict[str, object], phases: tuple[Phase, ...]
) -> None:
    assert tries(task(**fields), 30.0)[0].phases == phases


async def test_each_attempt_has_its_line() -> None:
    line = Timeline()
    async with shown(line, 90, 5) as screen:
        line.show(
            task(
                state="STARTED", retries=1, sent_at=100, received_at=110, started_at=120,
                worker="celery@w2",
                attempts=(
                    Attempt(
                        number=0, state="RETRY", worker="celery@w1", received_at=101,
                        started_at=102, finished_at=105, exception="boom",
                    ),
                ),
            ),
            140.0,
        )  # fmt: skip
        await screen.settle()
        assert screen.lines[0] == "░ waiting in the queue   ▒ waiting in the worker   █ running"
        first, second = screen.lines[1:3]
        assert first.split()[:3] == ["1", "↻", "RETRY"]
        assert "queue 1.0 s  worker 1.0 s  run 3.0 s" in first
        assert second.split()[:3] == ["2", "▶", "STARTED"]
        assert "run 20 s" in second
        bar = second[15:]
        assert bar.index("░") < bar.index("▒") < bar.index("█")
        assert bar.count("█") > bar.count("▒")
        assert screen.lines[3] == ""


@pytest.mark.parametrize("width", [30, 60, 200])
async def test_a_timeline_is_cut_to_the_width(width: int) -> None:
    line = Timeline(glyphs=ASCII)
    async with shown(line, width, 4) as screen:
        line.show(task(state="SUCCESS", sent_at=0, received_at=1e-9, finished_at=9e6), 1e7)
        await screen.settle()
        assert screen.lines[1].isascii()
        assert screen.lines[2:] == ["", ""]


async def test_fields_in_one_column_and_in_two() -> None:
    fields = Fields(
        [Field("Name", "geo"), Field("State", "FAILURE", "bad"), Field("Args", HOSTILE)]
    )
    async with shown(fields, 110, 4) as screen:
        assert screen.lines[0].split() == ["Name", "geo", "Args", SHOWN + "\\n\\x07"]
        assert screen.lines[1].split() == ["State", "FAILURE"]
        await screen.pilot.resize_terminal(60, 5)
        await screen.settle()
        assert [line.split()[0] for line in screen.lines[:3]] == ["Name", "State", "Args"]
        fields.show([Field("Only", "one" * 50)])
        await screen.settle()
        assert screen.lines[0].endswith("…")
        assert screen.lines[1] == ""
