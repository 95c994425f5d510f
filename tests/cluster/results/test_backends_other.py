"""Results in files, in memcached, and in backends that only the app's code can read."""

from __future__ import annotations

import base64
import json
import pickle
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.results.backends.base import ResultReader, ResultsError
from celtop.cluster.results.open import open_results
from celtop.settings import Settings
from celtop.tests.cluster.results.conftest import OpenBackend, django_environment
from celtop.tests.network import black_hole
from celtop.tests.servers import APPS, MemcachedServer, free_port

GOOD = json.dumps({"status": "SUCCESS", "result": 1}).encode()


def reader_of(url: str, **settings: Any) -> ResultReader:
    return open_results(Settings(result_backend=url, **settings))


def fault_of(url: str, **settings: Any) -> str:
    reader = reader_of(url, **settings)
    with pytest.raises(ResultsError) as caught:
        reader.read(["x"])
    reader.close()
    return str(caught.value)


class TestFiles:
    def test_a_file_that_is_being_written_is_read_again(self, tmp_path: Path) -> None:
        path = tmp_path / "celery-task-meta-x"
        path.write_bytes(b"")
        threading.Timer(0.03, path.write_bytes, [GOOD]).start()
        assert reader_of(f"file://{tmp_path}").read(["x"])["x"].result == 1
        path.write_bytes(GOOD[:-4])
        threading.Timer(0.03, path.write_bytes, [GOOD]).start()
        assert reader_of(f"file://localhost{tmp_path}").read(["x"])["x"].result == 1

    def test_a_file_that_stays_broken_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "celery-task-meta-x").write_bytes(GOOD[:-4])
        found = reader_of(f"file://{tmp_path}").read(["x"])["x"]
        assert (found.status, found.undecoded) == (None, "neither JSON nor MessagePack")

    def test_ids_cannot_leave_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "kept" / "celery-task-meta-").mkdir(parents=True)
        (tmp_path / "secret").write_bytes(GOOD)
        reader = reader_of(f"file://{tmp_path}/kept")
        assert reader.read(["/../../secret", "../secret", f"/{tmp_path}/secret"]) == {}

    def test_a_folder_on_another_host(self, tmp_path: Path) -> None:
        told = fault_of(f"file://{tmp_path}/missing")
        assert "it does not exist" in told and "workers' host" in told


class TestMemcached:
    def test_every_server_is_asked(self, tmp_path: Path, memcached: MemcachedServer) -> None:
        from pymemcache.client.base import Client

        other = MemcachedServer(tmp_path)
        try:
            Client(memcached.place).set("celery-task-meta-here", GOOD, noreply=False)
            Client(other.place).set("celery-task-meta-there", GOOD, noreply=False)
            reader = reader_of(f"cache+memcached://{memcached.place};{other.place}/")
            assert set(reader.read(["here", "there", "nowhere"])) == {"here", "there"}
        finally:
            other.kill()
        # What is found is given; what is not may have been on the one that is gone.
        assert set(reader.read(["here"])) == {"here"}
        with pytest.raises(ResultsError, match="connection refused"):
            reader.read(["here", "there"])

    def test_a_server_that_does_not_respond(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("celtop.cluster.results.backends.memcached.READ_TIMEOUT", 0.5)
        port = free_port()
        assert f"127.0.0.1:{port}" in fault_of(f"cache+memcached://127.0.0.1:{port}/")
        with black_hole() as hole:
            assert "does not respond" in fault_of(f"cache+memcached://127.0.0.1:{hole}/")


def write(folder: Path, text: str) -> dict[str, str]:
    """Write an app; return the settings that name it."""
    (folder / "proj.py").write_text(text)
    return {"app": "proj", "workdir": str(folder)}


CUSTOM = """
import os
from celery import Celery
from celery.backends.base import KeyValueStoreBackend
print("noise", flush=True)
os.write(2, b"more noise")

class Folder(KeyValueStoreBackend):
    def get(self, key):
        name = key.decode()
        if name.endswith("slow"):
            import time; time.sleep(60)
        if name.endswith("dead"):
            os._exit(9)
        if name.endswith("bad"):
            raise RuntimeError("no way to redis://:hunter2@h/1")
        return '{"status": "SUCCESS", "result": "%s"}' % name if "x" in name else None

app = Celery("proj", broker="memory://")
"""


class TestTheAppsOwn:
    def test_a_custom_backend_class(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        reader = reader_of("proj:Folder", **write(tmp_path, CUSTOM))
        found = reader.read(["x1", "y", "x2"])
        assert {id_: meta.result for id_, meta in found.items()} == {
            "x1": "celery-task-meta-x1",
            "x2": "celery-task-meta-x2",
        }
        with pytest.raises(ResultsError) as caught:
            reader.read(["bad"])
        assert "RuntimeError: no way to" in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert set(reader.read(["x1"])) == {"x1"}
        assert len(reader.read([f"x{number}" for number in range(1000)])) == 1000
        with pytest.raises(ResultsError, match=r"its process exited \(status 9\)"):
            reader.read(["dead"])
        assert set(reader.read(["x1"])) == {"x1"}  # in a new process
        reader.close()
        assert capfd.readouterr() == ("", "")

    def test_the_child_process_ends_with_the_reader(self, tmp_path: Path) -> None:
        reader = reader_of("proj:Folder", **write(tmp_path, CUSTOM))
        assert reader.read(["y"]) == {}
        process = reader.__dict__["_child"].__dict__["_process"]
        failed: list[str] = []

        def read() -> None:
            try:
                reader.read(["slow"])
            except ResultsError as error:
                failed.append(str(error))

        thread = threading.Thread(target=read)
        thread.start()
        time.sleep(0.1)
        reader.close()
        thread.join(30.0)  # the app sleeps for a minute
        assert not thread.is_alive()
        assert failed and "its process exited (signal 9)" in failed[0]
        assert process.poll() is not None

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("raise ValueError('DATABASE_URL is not set')", "DATABASE_URL is not set"),
            ("import os; os._exit(7)", "status 7"),
            ("import sys; sys.exit(3)", "SystemExit: 3"),
            ("from celery import Celery\napp = Celery()", "Folder"),
            (
                "from celery import Celery\napp = Celery()\n"
                "from celery.backends.base import BaseBackend\nclass Folder(BaseBackend): pass",
                "celtop cannot read results of proj.Folder",
            ),
        ],
    )
    def test_an_app_that_cannot_be_used(self, tmp_path: Path, text: str, words: str) -> None:
        assert words in fault_of("proj:Folder", **write(tmp_path, text))


class TestDjango:
    def test_local_times_pickles_and_a_closed_connection(
        self,
        tmp_path: Path,
        redis_url: str,
        open_backend: OpenBackend,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        env = django_environment(monkeypatch, tmp_path, redis_url, TEST_USE_TZ="0")
        backend = open_backend(
            "django-db", worker_app="django_project", worker_env=env, app="django_project",
            workdir=str(APPS),
        )  # fmt: skip
        found = backend.run("echo", 1)
        assert found.done_at is not None and abs(found.done_at - time.time()) < 20
        trap = tmp_path / "loaded"
        stored = base64.b64encode(pickle.dumps(_Bomb(trap))).decode()
        with sqlite3.connect(env["TEST_DATABASE"]) as database:
            database.execute(
                "update django_celery_results_taskresult set result = ?, task_args = ?,"
                " content_type = 'application/x-python-serialize', content_encoding = 'binary'"
                " where task_id = ?",
                (stored, stored, found.id),
            )
        found = backend.reader.read([found.id])[found.id]
        assert (found.status, found.undecoded, found.args) == ("SUCCESS", "pickle", None)
        assert not trap.exists()

    def test_the_database_is_gone(
        self, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        env = django_environment(monkeypatch, tmp_path, redis_url)
        Path(env["TEST_DATABASE"]).unlink()
        told = fault_of("django-db", app="django_project", workdir=str(APPS))
        assert "no such table: django_celery_results_taskresult" in told
        assert "hunter2" not in told

    def test_the_cache_is_not_read(
        self, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        django_environment(monkeypatch, tmp_path, redis_url)
        alias = "django_project:Cache"
        told = fault_of(alias, app="django_project", workdir=str(APPS))
        assert "celtop cannot read results of" in told


class _Bomb:
    """Leaves a file behind if anybody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)
