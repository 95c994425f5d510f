"""What was typed is there again in the next session."""

from __future__ import annotations

from pathlib import Path

from celtop.files.typed_history import MAX_CHARACTERS, MAX_TEXTS, TypedHistory


def test_two_sessions_keep_what_both_typed(tmp_path: Path) -> None:
    file = tmp_path / "state" / "history.json"
    one, other = TypedHistory(file), TypedHistory(file)
    for text in ("rate 2", "theme nord", "rate 2", "", "x" * (MAX_CHARACTERS + 1), "a\x1b"):
        one.add("commands", text)
    other.add("commands", "columns")
    other.add("task filters", "state:FAILURE")
    assert one.of("commands") == ["theme nord", "rate 2"]
    one.save()
    other.save()
    assert file.stat().st_mode & 0o777 == 0o600
    assert TypedHistory(file).of("commands") == ["theme nord", "rate 2", "columns"]
    assert TypedHistory(file).of("task filters") == ["state:FAILURE"]


def test_the_oldest_texts_are_dropped(tmp_path: Path) -> None:
    history = TypedHistory(tmp_path / "history.json")
    for number in range(MAX_TEXTS + 5):
        history.add("commands", f"rate {number}")
    history.save()
    assert len(history.of("commands")) == MAX_TEXTS
    assert TypedHistory(history.path).of("commands")[-1] == f"rate {MAX_TEXTS + 4}"


def test_a_file_that_cannot_be_read_is_an_empty_history(tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_bytes(b"\xff{")
    history = TypedHistory(file)
    assert not history.of("commands")
    history.add("commands", "columns")
    history.save()
    assert TypedHistory(file).of("commands") == ["columns"]


def test_a_history_that_cannot_be_written_is_no_error() -> None:
    history = TypedHistory(Path("/dev/null/history.json"))
    history.add("commands", "columns")
    history.save()
