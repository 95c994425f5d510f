"""An app is loaded in a child process, without effects on this one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from celtop.cluster.app_probe import AppError, describe
from celtop.model.entities.registered_task import Parameter


def write(folder: Path, text: str, name: str = "proj.py") -> str:
    (folder / name).write_text(text)
    return str(folder)


def test_describes_an_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://elsewhere/9")
    folder = write(
        tmp_path,
        """
from celery import Celery
print("hello from the app", flush=True)
app = Celery("proj", broker="redis://:pw@host/3", backend="rpc://")
app.conf.broker_transport_options = {"global_keyprefix": "acme:", "priority_steps": [0, 5]}
app.conf.event_exchange = "myev"
app.conf.control_exchange = "myctl"
app.conf.task_routes = {"proj.*": {"queue": "heavy"}}
app.conf.accept_content = ["json", "pickle"]

@app.task(max_retries=5)
def add(x: int, y: int = 2) -> int:
    return x + y

@app.task(queue="own")
def note() -> None:
    pass
""",
    )
    found = describe("proj", folder)
    assert found.broker_url == "redis://:pw@host/3"
    assert found.result_backend == "rpc://"
    assert found.broker_transport_options["global_keyprefix"] == "acme:"
    assert (found.event_exchange, found.control_exchange) == ("myev", "myctl")
    assert found.accept_content == ("json", "pickle")
    (task,) = (task for task in found.tasks if task.name == "proj.add")
    assert (task.queue, task.max_retries) == ("heavy", 5)
    assert "own" in [task.queue for task in found.tasks if task.name == "proj.note"]
    assert "proj" not in sys.modules


def test_parameters_are_described(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        """
import uuid
from typing import Literal, Optional
from celery import Celery
app = Celery("proj", broker="redis://h/1")

@app.task(bind=True)
def convert(self, path: str, /, size: int = 3, *rest, mode: Literal["a", "b"] = "a",
            by: Optional[uuid.UUID] = None, **more):
    \'\'\'Convert a raster
    to tiles.

    Slowly.
    \'\'\'

@app.task
def plain(x, y="é"):
    pass
""",
    )
    tasks = {task.name: task for task in describe("proj", folder).tasks}
    convert, plain = tasks["proj.convert"], tasks["proj.plain"]
    assert convert.parameters == (
        Parameter("path", "positional", "str"),
        Parameter("size", "either", "int", "3"),
        Parameter("rest", "args"),
        Parameter("mode", "keyword", "Literal['a', 'b']", "'a'"),
        Parameter("by", "keyword", "Optional[uuid.UUID]", "None"),
        Parameter("more", "kwargs"),
    )
    assert (convert.summary, plain.summary) == ("Convert a raster to tiles.", "")
    assert plain.parameters == (Parameter("x"), Parameter("y", default="'é'"))


def test_output_of_the_app_is_discarded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = write(
        tmp_path,
        "import os, sys\nos.write(1, b'one'); os.write(2, b'two'); print('three')\n"
        "from celery import Celery\napp = Celery(broker='redis://h/1')\n",
    )
    assert describe("proj:app", folder).broker_url == "redis://h/1"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_module_here", "No module named 'no_such_module_here'"),
        ("raise ValueError('DATABASE_URL is not set')", "DATABASE_URL is not set"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import os; os._exit(7)", "status 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"),
        ("x = 1", "proj"),
    ],
)
def test_an_app_that_cannot_be_loaded(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(AppError) as caught:
        describe("proj", write(tmp_path, text))
    assert words in str(caught.value)


def test_an_app_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="nothere"):
        describe("nothere", str(tmp_path))
    with pytest.raises(AppError, match="is not a directory"):
        describe("proj", str(tmp_path / "missing"))


def test_an_app_that_hangs_is_killed(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        "import pathlib, os, threading\n"
        "pathlib.Path('pid').write_text(str(os.getpid()))\nthreading.Event().wait()\n",
    )
    with pytest.raises(AppError, match="did not load within 3 s"):
        describe("proj", folder, timeout=3.0)
    pid = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{pid}").exists()


def test_threads_of_the_app_do_not_delay_the_answer(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        "import threading\nthreading.Thread(target=threading.Event().wait).start()\n"
        "from celery import Celery\napp = Celery(broker='redis://h/1')\n",
    )
    assert describe("proj", folder, timeout=20.0).broker_url == "redis://h/1"
