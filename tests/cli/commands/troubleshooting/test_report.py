"""`celtop report`: a file also if the broker cannot be reached, without secrets."""

from __future__ import annotations

from pathlib import Path

from celtop.tests.cli.conftest import celtop
from celtop.tests.servers import free_port


def test_a_report_without_a_cluster(tmp_path: Path) -> None:
    url = f"redis://user:hunter2@127.0.0.1:{free_port()}/0"
    ended = celtop("-b", url, "report", "--wait", "0", cwd=str(tmp_path))
    assert (ended.returncode, ended.stdout) == (0, "")
    [file] = tmp_path.iterdir()
    assert file.name in ended.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert titles == ["Versions", "Doctor", "Cluster", "Log", "Settings"]
    assert "connection refused" in text
    assert "hunter2" not in text


def test_a_report_of_invalid_settings_on_stdout() -> None:
    ended = celtop("report", "-", env={"CELTOP_HINTS": "perhaps"})
    assert ended.returncode == 0
    assert "Invalid value 'perhaps' for hints" in ended.stdout
