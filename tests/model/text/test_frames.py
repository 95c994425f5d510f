from __future__ import annotations

import pytest
from celtop.model.text.frames import TracebackFrame, innermost_frame, origin, own_frames, short_path

VENV = "/srv/shop/.venv/lib/python3.12/site-packages/"
STANDARD = [
    "/usr/lib/python3.11/socket.py",
    "/usr/local/lib/python3.14/asyncio/runners.py",
    "/root/.local/share/uv/python/cpython-3.12.1-linux-x86_64-gnu/lib/python3.12/ssl.py",
    "/opt/pypy/lib/pypy3.10/socket.py",
    "/opt/pypy/lib-python/3/socket.py",
    "lib/python3.11/socket.py",
    "C:\\Python311\\Lib\\socket.py",
    "C:\\Users\\a b\\AppData\\Local\\Programs\\Python\\Python312\\Lib\\ssl.py",
    "C:\\Python311\\python311.zip\\socket.py",
    "<frozen importlib._bootstrap>",
    "<string>",
]
CELERY = [
    f"{VENV}celery/app/task.py",
    f"{VENV}kombu/connection.py",
    f"{VENV}billiard/pool.py",
    "/srv/checkout/celery/celery/app/trace.py",
    "/srv/checkout/celery/celery/app/autoretry.py",
]
INSTALLED = [
    f"{VENV}requests/api.py",
    f"{VENV}six.py",
    "/usr/lib/python3/dist-packages/yaml/__init__.py",
    "C:\\shop\\venv\\Lib\\site-packages\\requests\\api.py",
    "/root/.pex/installed_wheels/ab/requests-2.31-py3-none-any.whl/requests/api.py",
]
APP = [
    "/srv/shop/images/tasks.py",
    "/srv/celery/tasks.py",
    "/srv/celery/app/tasks.py",
    "/srv/python/lib/tasks.py",
    "/srv/my-python-app/lib/tasks.py",
    "tasks.py",
    "C:\\work\\shop\\lib\\tasks.py",
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *((path, "standard") for path in STANDARD),
        *((path, "celery") for path in CELERY),
        *((path, "installed") for path in INSTALLED),
        *((path, "app") for path in APP),
    ],
)
def test_a_path_shows_whose_code_it_is(path: str, expected: str) -> None:
    assert origin(path) == expected


def test_the_innermost_own_frame_is_before_any_library() -> None:
    frames = [(CELERY[0], "__call__"), (APP[0], "download"), (INSTALLED[0], "get")]
    assert innermost_frame([*frames, (STANDARD[0], "connect")]) == 1


def test_without_own_code_it_is_the_tasks_function_then_a_package_then_python() -> None:
    frames = [
        (CELERY[0], "__call__"),
        (f"{VENV}shop_tasks.py", "charge"),
        (INSTALLED[0], "get"),
        (STANDARD[0], "connect"),
    ]
    assert innermost_frame(frames, "billing.charge") == 1
    assert innermost_frame(frames, "other") == 2
    assert innermost_frame(frames[-1:]) == 0
    assert innermost_frame(frames[:1]) is None


def test_an_installed_app_is_the_package_of_its_tasks() -> None:
    frames = [(f"{VENV}shop/tasks.py", "charge"), (f"{VENV}shop/http.py", "get"), (VENV + "a", "b")]
    assert own_frames(frames, "shop.tasks.charge") == [0, 1]
    assert own_frames(frames, "shopping.charge") == []
    assert own_frames([(f"{VENV}celery/canvas.py", "run")], "celery.group") == []


def test_paths_of_libraries_are_shortened_to_the_package() -> None:
    assert short_path(INSTALLED[0]) == "requests/api.py"
    assert short_path(STANDARD[0]) == "socket.py"
    assert short_path(STANDARD[1]) == "asyncio/runners.py"
    assert short_path(APP[0]) == APP[0]
    assert short_path("<string>") == "<string>"
    assert TracebackFrame(INSTALLED[4], 3, "get").short_path == "requests/api.py"
