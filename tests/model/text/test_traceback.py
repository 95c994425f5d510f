from __future__ import annotations

import pytest
from celtop.model.text.traceback import exception_class, frames_end, is_library, location_of

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


def test_the_last_of_chained_tracebacks_counts() -> None:
    other = OWN.replace("download", "convert")
    text = (
        f"{BEGIN}{OWN}E: 1\n\nDuring handling of the above exception, ...\n\n{BEGIN}{other}F: 2\n"
    )
    assert location_of(text) == "images/tasks.py in convert"


def test_an_installed_app_is_recognized_by_the_package_of_the_task() -> None:
    own = OWN.replace("/srv/", "/v/lib/python3.11/site-packages/")
    text = BEGIN + CELERY + own + LIBRARY + "E\n"
    assert location_of(text, "shop.images.download") == "images/tasks.py in download"
    assert location_of(text, "elsewhere.download") == "requests/api.py in get"


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


def test_a_folder_named_celery_may_belong_to_the_app() -> None:
    assert not is_library("/srv/shop/celery/tasks.py")
    assert is_library("/usr/lib/python3/dist-packages/x.py")


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
