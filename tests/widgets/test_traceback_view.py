from __future__ import annotations

from celtop.tests.widgets.screen_text import HOSTILE, SHOWN, shown
from celtop.widgets.traceback_view import TracebackView
from textual.geometry import Offset
from textual.selection import Selection

TRACEBACK = f"""Traceback (most recent call last):
  File "/venv/lib/python3.11/site-packages/celery/app/trace.py", line 477, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/app/tasks.py", line 9, in convert
    raise ValueError("{HOSTILE[:-2]}")
    ^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode
    raise JSONDecodeError
ValueError: no such band [/]
"""


async def test_the_exception_is_first_and_libraries_are_folded() -> None:
    async with shown(TracebackView(TRACEBACK), 100, 10) as screen:
        assert [line for line in screen.lines if line] == [
            "ValueError: no such band [/]",
            "▸ json/decoder.py:355 in raw_decode",
            "▾ /app/tasks.py:9 in convert",
            f'    raise ValueError("{SHOWN}")',
            "    ^^^^^^^^^^^^^^^^",
            "▸ celery/app/trace.py:477 in trace_task",
        ]


async def test_the_cursor_begins_on_the_own_frame_and_opens_it() -> None:
    view = TracebackView(TRACEBACK)
    async with shown(view, 100, 10) as screen:
        view.action_open()
        await screen.settle()
        (opened,) = screen.of(TracebackView.Opened)
        assert opened.frame.place == "/app/tasks.py:9"
        assert not view.on_library
        view.action_move("up")
        assert view.on_library and view.frame is not None
        view.action_fold()
        await screen.settle()
        assert "    raise JSONDecodeError" in screen.lines
        assert view.frame.function == "raw_decode"
        view.action_fold()
        view.action_move("top")
        assert view.frame is None


async def test_a_click_on_the_mark_of_a_frame_of_a_library_unfolds_it() -> None:
    view = TracebackView(TRACEBACK)
    async with shown(view, 100, 10) as screen:
        y = screen.lines.index("▸ json/decoder.py:355 in raw_decode")
        await screen.pilot.click(view, offset=(4, y))
        assert "    raise JSONDecodeError" not in screen.lines
        await screen.pilot.click(view, offset=(0, y))
        await screen.until(lambda: "    raise JSONDecodeError" in screen.lines)


async def test_a_long_text_scrolls_from_its_beginning() -> None:
    view = TracebackView()
    async with shown(view, 40, 5) as screen:
        view.show("\n".join(f"line {number}" for number in range(50)))
        await screen.until(lambda: screen.lines[0].startswith("line 0"))
        view.action_move("bottom")
        await screen.until(lambda: screen.lines[-1].startswith("line 49"))
        view.action_move("page_up")
        await screen.until(lambda: screen.lines[0].startswith("line 45"))


async def test_a_match_in_a_folded_frame_is_unfolded_and_highlighted() -> None:
    view = TracebackView(TRACEBACK)
    async with shown(view, 100, 10) as screen:
        lines = view.search_lines()
        line = next(number for number, text in enumerate(lines) if "retval" in text)
        at = lines[line].index("retval")
        view.show_match(line, at, at + 6)
        await screen.settle()
        y = next(y for y, text in enumerate(screen.lines) if "retval" in text)
        x = screen.lines[y].index("retval")
        assert [bool(screen.style_at(at, y).reverse) for at in (x - 1, x, x + 5, x + 6)] == [
            False, True, True, False,
        ]  # fmt: skip


async def test_the_text_that_is_drawn_can_be_selected() -> None:
    view = TracebackView(TRACEBACK)
    async with shown(view, 100, 10):
        selection = Selection(Offset(2, 2), Offset(17, 2))
        assert view.get_selection(selection) == ("/app/tasks.py:9", "\n")
