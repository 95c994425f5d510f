from __future__ import annotations

from celtop.tests.widgets.screen_text import HOSTILE, SHOWN, shown
from celtop.widgets.traceback_view import MAX_TEXT, TracebackView, highlighted

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
    content = highlighted("x" * (MAX_TEXT + 5))
    assert content.plain.endswith("5 more characters]")
