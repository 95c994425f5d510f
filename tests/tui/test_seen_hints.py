from __future__ import annotations

from pathlib import Path

from celtop.tui.seen_hints import SeenHints


def test_a_hint_is_new_once_for_all_runs(tmp_path: Path) -> None:
    path = tmp_path / "celtop" / "hints.json"
    hints = SeenHints(path)
    assert hints.is_new("marks")
    hints.add("marks")
    assert not hints.is_new("marks")
    assert not SeenHints(path).is_new("marks")
    assert SeenHints(path).is_new("frozen")
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_file_there_are_no_hints() -> None:
    hints = SeenHints(None)
    hints.add("marks")
    assert not hints.is_new("marks")


def test_a_broken_file_or_folder_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "hints.json"
    path.write_text("{[")
    assert SeenHints(path).is_new("marks")
    hints = SeenHints(path / "not a folder" / "hints.json")
    hints.add("marks")
    assert not hints.is_new("marks")


def test_a_deeply_nested_file_holds_no_hints(tmp_path: Path) -> None:
    (tmp_path / "nested").write_text("[" * 9_000)
    assert SeenHints(tmp_path / "nested").is_new("wide")
