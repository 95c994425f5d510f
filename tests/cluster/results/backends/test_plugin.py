"""A third party's result backend, found through the entry points of an installed distribution."""

from __future__ import annotations

import importlib
import json
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
from celtop.cluster.results.backends.base import ResultsError
from celtop.cluster.results.open import open_results
from celtop.cluster.results.search import ResultSearch
from celtop.cluster.session import Session
from celtop.settings import Settings
from celtop.tests.cli.conftest import celtop

URL = "acme://ann:hunter2@store/9"
PLUGIN = """
    import sys
    import threading

    from celtop.cluster.results.backends.base import ResultReader
    from celtop.cluster.results.backends.decode import from_payload
    from celtop.model.entities.result import ResultMeta

    class AcmeResults(ResultReader):
        def __init__(self, url, settings):
            self.stored = {"known": '{"status": "SUCCESS", "result": 42}'}

        def read(self, ids):
            if "broken" in ids:
                raise RuntimeError("no route from acme://ann:hunter2@store/9")
            return {
                id_: from_payload(id_, self.stored[id_]) for id_ in ids if id_ in self.stored
            }

        def close(self):
            raise RuntimeError("cannot close")

    class WrongResults(AcmeResults):
        def read(self, ids):
            return {id_: {"status": "SUCCESS"} for id_ in ids}

    class WrongFields(AcmeResults):
        unavailable = property(lambda self: 1 / 0)

        def read(self, ids):
            return {id_: ResultMeta(id_, "SUCCESS", done_at="today") for id_ in ids}

        def recent(self, limit, stop=None):
            yield (5,)

    class EndlessClose(AcmeResults):
        def close(self):
            threading.Event().wait()

    def nothing(url, settings):
        return None

    def endless(url, settings):
        threading.Event().wait()

    def exits(url, settings):
        sys.exit(0)
"""
ENTRY_POINTS = """
    [celtop.result_backends]
    acme = acme_celtop:AcmeResults
    wrong = acme_celtop:WrongResults
    fields = acme_celtop:WrongFields
    endless-close = acme_celtop:EndlessClose
    endless = acme_celtop:endless
    exits = acme_celtop:exits
    nothing = acme_celtop:nothing
    absent = acme_celtop:absent
    missing = no_such_module:Results
    redis = acme_celtop:nothing
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on `sys.path` with the plug-in's module and the metadata of its distribution."""
    (tmp_path / "acme_celtop.py").write_text(textwrap.dedent(PLUGIN))
    metadata = tmp_path / "acme_celtop-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-celtop\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(textwrap.dedent(ENTRY_POINTS))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return tmp_path


def error_of(url: str, id_: str = "known") -> str:
    reader = open_results(Settings(result_backend=url))
    assert reader.unavailable is None
    with pytest.raises(ResultsError) as caught:
        reader.read([id_])
    reader.close()
    return str(caught.value)


@pytest.mark.usefixtures("site")
def test_a_session_reads_results_through_the_plugin() -> None:
    session = Session(Settings(broker_url="redis://127.0.0.1:1/0", result_backend=URL))
    assert session.progress_unavailable is None
    found = session.lookups.result("known").result(10.0)
    assert found is not None and (found.status, found.result) == ("SUCCESS", 42)
    assert session.lookups.result("unknown").result(10.0) is None
    lookup = session.lookups.find_task("broken").result(10.0)
    places = {one.place: one for one in lookup.places}
    assert places["backend"].found is None and "RuntimeError" in places["backend"].text
    session.stop()


def test_the_task_command_reads_results_through_the_plugin(site: Path, redis_url: str) -> None:
    def task(id_: str, backend: str = URL) -> Any:
        options = ("-b", redis_url, "--result-backend", backend, "--no-enable-events")
        return celtop(*options, "task", id_, "--json", env={"PYTHONPATH": str(site)})

    ended = task("known")
    assert ended.returncode == 0, ended.stderr
    (source,) = json.loads(ended.stdout)["told_by"]
    assert source["source"] == "result backend" and source["fields"]["result"] == "42"
    ended = task("known", "missing://h")
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert "plug-in missing (no_such_module:Results) failed" in ended.stdout


@pytest.mark.usefixtures("site")
def test_errors_of_a_plugin_are_named() -> None:
    text = error_of(URL, "broken")
    assert "plug-in acme (acme_celtop:AcmeResults) failed: RuntimeError: no route" in text
    assert "authors of acme-celtop 1.2" in text and "hunter2" not in text
    assert "ModuleNotFoundError" in error_of("missing://h")
    assert "AttributeError" in error_of("absent://h")
    assert "returned no ResultReader" in error_of("nothing://h")
    assert "read() returned dict" in error_of("wrong://h")
    assert "Expected `float | null`, got `str` - at `$.done_at`" in error_of("fields://h")
    assert "SystemExit" in error_of("exits://h")


@pytest.mark.usefixtures("site")
def test_what_else_a_plugin_returns_is_checked() -> None:
    reader = open_results(Settings(result_backend="fields://h"))
    with pytest.raises(ResultsError, match=r"recent\(\) returned int"):
        list(reader.recent(5))
    with pytest.raises(ResultsError, match=r"recent\(\) returned int|failed"):
        reader.search(ResultSearch(0.0), lambda metas: None)
    with pytest.raises(ResultsError, match="cannot delete results"):
        reader.delete([])
    assert reader.unavailable is not None and "ZeroDivisionError" in reader.unavailable


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("scheme", ["endless", "endless-close"])
def test_a_plugin_that_hangs_does_not_hold_up_the_end(scheme: str) -> None:
    reader = open_results(Settings(result_backend=f"{scheme}://h"))
    reading = threading.Thread(target=reader.read, args=(["known"],), daemon=True)
    reading.start()
    reading.join(1.0)
    closing = threading.Thread(target=reader.close, daemon=True)
    closing.start()
    closing.join(10.0)
    assert not closing.is_alive()


@pytest.mark.usefixtures("site")
def test_a_plugin_is_imported_with_the_first_read_and_replaces_no_built_in_reader() -> None:
    sys.modules.pop("acme_celtop", None)
    reader = open_results(Settings(result_backend=URL))
    assert "acme_celtop" not in sys.modules
    assert set(reader.read(["known"])) == {"known"}
    assert "acme_celtop" in sys.modules
    assert type(open_results(Settings(result_backend="redis://h/0"))).__name__ == "RedisResults"
    assert list(reader.recent(5)) == []
