from __future__ import annotations

from pathlib import Path

import pytest
from celtop.cli import main
from celtop.cluster.events.enabled_workers import EnabledWorkers
from celtop.files.acknowledgements import Acknowledgements
from celtop.files.state_file import read_state, take_messages
from celtop.files.typed_history import TypedHistory
from celtop.tui.seen_hints import SeenHints


@pytest.mark.parametrize("content", [b'{"a": ', b"\xff\xfe", b"[1]", b"[" * 9_000])
def test_a_damaged_file_is_moved_aside_once(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(content)
    assert read_state(path, dict[str, list[str]]) is None
    (message,) = take_messages()
    assert message.startswith(f"{path} is damaged (")
    assert message.endswith(". It was moved to some.json.damaged")
    assert (tmp_path / "some.json.damaged").read_bytes() == content
    assert read_state(path, dict[str, list[str]]) is None
    assert take_messages() == []


def test_each_kind_of_file_keeps_what_is_damaged(tmp_path: Path) -> None:
    def damaged(name: str) -> Path:
        (tmp_path / name).write_text("{[")
        return tmp_path / name

    Acknowledgements(damaged("acknowledged"), "a").remove(())
    typed = TypedHistory(damaged("typed"))
    typed.add("commands", "tasks")
    typed.save()
    EnabledWorkers(damaged("events")).add("a", "w1@h", 1.0)
    SeenHints(damaged("hints")).add("marks")
    assert len(take_messages()) == 4
    for name in ("acknowledged", "typed", "events", "hints"):
        assert (tmp_path / f"{name}.damaged").read_text() == "{["
        assert read_state(tmp_path / name, object) is not None


def test_a_command_reports_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "some.json"
    path.write_text("{[")
    monkeypatch.setattr(main.celtop, "main", lambda *_, **__: read_state(path, object))
    assert main.run([]) == 0
    assert f"{path} is damaged" in capsys.readouterr().err
