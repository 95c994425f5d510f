"""A Prometheus of the system's packages for tests."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

from celtop.tests.servers import Child, answers, clean_environment, free_port, until

RULES: Final = Path(__file__).parents[1] / "docs" / "metrics" / "alert-rules.yml"


class PrometheusServer:
    """A server on a free port that scrapes targets every second, with celtop's alert rules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def backfill(self, openmetrics: str) -> None:
        """Add samples of the past, before the server starts."""
        file = self.folder / "past.txt"
        file.write_text(openmetrics)
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
        subprocess.run([*command, file, self._data], check=True, capture_output=True)

    def start(self, *targets: str) -> PrometheusServer:
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "scrape_configs": [{"job_name": "celtop", "static_configs": [{"targets": targets}]}],
            "rule_files": [str(RULES)],
        }
        file = self.folder / "prometheus.yml"
        file.write_text(json.dumps(config))
        command = [
            "prometheus", f"--config.file={file}", f"--storage.tsdb.path={self._data}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]  # fmt: skip
        child = Child(command, self.folder / "prometheus.log", clean_environment())
        self._child = child
        until(lambda: self._is_ready() or not child.alive, what="Prometheus is ready")
        assert child.alive, child.output
        return self

    def get(self, path: str, **parameters: object) -> Any:
        """Return the data of a request to the API."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return the series of an instant query: labels and value."""
        result = self.get("query", query=expression)["result"]
        return [(one["metric"], float(one["value"][1])) for one in result]

    @property
    def complaints(self) -> list[str]:
        """The warnings and errors in the log."""
        lines = self._child.output.splitlines() if self._child else []
        return [line for line in lines if "level=warn" in line or "level=error" in line]

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _is_ready(self) -> bool:
        if not answers(self.port):
            return False
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False
