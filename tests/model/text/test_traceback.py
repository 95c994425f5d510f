from __future__ import annotations

import pytest
from celtop.model.text.traceback import (
    MAX_TRACEBACK,
    exception_class,
    frames_end,
    last_own_frame,
    location_and_line,
    location_of,
    sections,
)

CELERY = (
    '  File "/v/lib/python3.11/site-packages/celery/app/trace.py", line 9, in trace_task\n    f()\n'
)
OWN = '  File "/srv/shop/images/tasks.py", line 41, in download\n    get()\n'
LIBRARY = '  File "/v/lib/python3.11/site-packages/requests/api.py", line 59, in get\n    raise E\n'
STDLIB = '  File "/usr/lib/python3.11/json/__init__.py", line 1, in loads\n    raise E\n'
FROZEN = '  File "<frozen importlib._bootstrap>", line 1, in _load\n'
BEGIN = "Traceback (most recent call last):\n"


def test_the_innermost_frame_of_the_apps_own_code_counts() -> None:
    text = BEGIN + CELERY + OWN + LIBRARY + STDLIB + FROZEN + "E: no\n"
    assert location_of(text) == "images/tasks.py in download"


def test_the_line_of_the_location_is_known() -> None:
    assert location_and_line(BEGIN + CELERY + OWN + LIBRARY) == ("images/tasks.py in download", 41)
    assert location_and_line(BEGIN + CELERY) == (None, None)
    hostile = OWN.replace("41", "9" * 5_000)
    assert location_and_line(BEGIN + CELERY + hostile) == (None, None)


def test_the_last_of_chained_tracebacks_counts() -> None:
    other = OWN.replace("download", "convert")
    text = (
        f"{BEGIN}{OWN}E: 1\n\nDuring handling of the above exception, ...\n\n{BEGIN}{other}F: 2\n"
    )
    assert location_of(text) == "images/tasks.py in convert"


def test_a_retry_by_celery_has_the_location_of_the_exception_before_it() -> None:
    during = "\nDuring handling of the above exception, another exception occurred:\n\n"
    text = f"{BEGIN}{OWN}{STDLIB}E: x\n{during}{BEGIN}{CELERY}celery.exceptions.Retry: in 1s\n"
    assert location_of(text) == "images/tasks.py in download"
    assert location_of(f"{BEGIN}{CELERY}E: x\n{during}{BEGIN}{CELERY}E: y\n") is None


def test_an_installed_app_is_recognized_by_the_package_of_the_task() -> None:
    own = OWN.replace("/srv/", "/v/lib/python3.11/site-packages/")
    text = BEGIN + CELERY + own + LIBRARY + "E\n"
    assert location_of(text, "shop.images.download") == "images/tasks.py in download"
    assert location_of(text, "elsewhere.get_all") == "requests/api.py in get"


@pytest.mark.parametrize("text", [None, "", "ValueError: 1", BEGIN + CELERY + "TypeError: x\n"])
def test_without_a_frame_there_is_no_location(text: str | None) -> None:
    assert location_of(text) is None


def test_groups_of_exceptions_and_windows_are_read() -> None:
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "C:\\work\\shop\\tasks.py", line 3, in many\n'
        "  |     raise ExceptionGroup\n"
    )
    assert location_of(text) == "shop/tasks.py in many"


def test_a_huge_line_costs_little() -> None:
    assert location_of('  File "' + '", line 1, in' * 400_000) is None
    assert location_of("\n" * 5_000_000 + OWN) == "images/tasks.py in download"


def test_each_line_is_in_a_section_the_final_exception_first() -> None:
    text = (
        f"{BEGIN}{CELERY}{OWN}{LIBRARY}KeyError: 'x'\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        f"{BEGIN}{OWN}ValueError: no\n  second line\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        f"{BEGIN}{CELERY}{OWN}    ^^^^^\nOSError: gone\n"
    )
    final, cause, first = sections(text)
    assert (final.exception, final.link) == ("OSError: gone", "")
    assert (cause.exception, cause.link) == ("ValueError: no\n  second line", "caused by")
    assert (first.exception, first.link) == ("KeyError: 'x'", "while handling")
    assert [frame.function for frame in first.frames] == ["trace_task", "download", "get"]
    assert first.own == {1}
    frame = final.last_own
    assert frame is not None
    assert (frame.place, frame.function) == ("/srv/shop/images/tasks.py:41", "download")
    assert frame.source == ("get()", "^^^^^")
    assert last_own_frame(text) == frame


def test_the_cause_has_the_last_own_frame_if_the_exception_has_none() -> None:
    text = f"{BEGIN}{OWN}E: 1\n\nDuring handling ...\n\n{BEGIN}{CELERY}{LIBRARY}F: 2\n"
    frame = last_own_frame(text)
    assert frame is not None and frame.function == "download"
    assert last_own_frame("E: 1") is None


def test_an_exception_that_quotes_frames_is_kept_whole() -> None:
    (section,) = sections(f"{BEGIN}{OWN}E: in\n{LIBRARY}the end\n")
    assert section.exception.splitlines() == ["E: in", *LIBRARY.splitlines(), "the end"]
    assert len(section.frames) == 1


def test_a_group_has_its_exceptions_in_its_text() -> None:
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/srv/shop/tasks.py", line 3, in many\n'
        "  |     raise group\n"
        "  | ExceptionGroup: two (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "/srv/shop/tasks.py", line 9, in one\n'
        "    | ValueError: 1\n"
        "    +------------------------------------\n"
    )
    (section,) = sections(text)
    assert [(frame.place, frame.source) for frame in section.frames] == [
        ("/srv/shop/tasks.py:3", ("raise group",))
    ]
    assert section.exception.startswith("ExceptionGroup: two") and "line 9" in section.exception


@pytest.mark.parametrize("text", ["", "E: no", "\n\n", BEGIN, BEGIN + OWN, '  File "'])
def test_any_text_has_sections(text: str) -> None:
    found = "".join(
        section.exception + "".join(frame.path for frame in section.frames)
        for section in sections(text)
    )
    assert found.strip() == ("/srv/shop/images/tasks.py" if OWN in text else text).strip().replace(
        BEGIN.strip(), ""
    )


def test_frames_after_a_gap_are_read() -> None:
    text = f'{BEGIN}{CELERY}\n... [9,999 characters]\ne.py", line 3, in f\n{OWN}E: no\n'
    (section,) = sections(text)
    assert section.exception == "E: no"
    assert [frame.function for frame in section.frames] == ["trace_task", "download"]


def test_of_a_huge_traceback_the_end_is_read() -> None:
    (section,) = sections(BEGIN + LIBRARY * (MAX_TRACEBACK // 50) + OWN + "E: no\n")
    assert section.exception == "E: no"
    assert section.last_own is not None
    assert sum(len(frame.path) for frame in section.frames) < MAX_TRACEBACK
    assert len(sections("x" * (2 * MAX_TRACEBACK))[0].exception) == MAX_TRACEBACK


def test_a_huge_message_hides_neither_class_nor_frames() -> None:
    text = f"{BEGIN}{LIBRARY}{OWN}KeyError: {'x' * (2 * MAX_TRACEBACK)}\n"
    (section,) = sections(text)
    assert section.exception.startswith("KeyError: x")
    assert len(section.frames) == 2
    assert last_own_frame(text) == section.last_own
    assert location_of(text) == location_of(f"{BEGIN}{LIBRARY}{OWN}KeyError: x\n") is not None


def test_an_exception_is_its_class() -> None:
    assert exception_class("requests.Timeout('x')") == "requests.Timeout"
    assert exception_class("odd\ntext") == "odd text"
    assert exception_class(None) is None
    assert exception_class("('x')") is None


@pytest.mark.parametrize("end", ["E: no\n", "E: no", "E: of\n  two lines\n", "\n"])
@pytest.mark.parametrize("chained", ["", f"{BEGIN}{LIBRARY}F: other\n\nDuring handling ...\n\n"])
def test_frames_end_where_the_exception_begins(chained: str, end: str) -> None:
    frames = f"{chained}{BEGIN}{OWN}{LIBRARY}    ^^^\n"
    assert frames_end(frames + end) == len(frames)


@pytest.mark.parametrize("text", ["", "E: no", BEGIN, '\n  File "', BEGIN + OWN.strip()])
def test_without_frames_all_is_the_exception(text: str) -> None:
    assert frames_end(text) == 0
