from __future__ import annotations

from pathlib import Path

import pytest
from celtop.model.text.frames import TracebackFrame
from celtop.tui.output.editor import editor_command


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"EDITOR": "vim"}, ["vim", "+7", "{path}"]),
        ({"EDITOR": "nano", "VISUAL": "emacs -nw"}, ["emacs", "-nw", "+7", "{path}"]),
        ({"VISUAL": "/usr/bin/code --wait"}, ["/usr/bin/code", "--wait", "--goto", "{path}:7"]),
        ({"EDITOR": "hx"}, ["hx", "{path}:7"]),
        ({}, None),
        ({"EDITOR": " "}, None),
        ({"EDITOR": "an 'open quote"}, None),
    ],
)
def test_editors_open_the_line(
    tmp_path: Path, environ: dict[str, str], expected: list[str] | None
) -> None:
    path = tmp_path / "tasks.py"
    path.touch()
    command = editor_command(TracebackFrame(str(path), 7, "f"), environ)
    assert command == (expected and [word.format(path=path) for word in expected])


@pytest.mark.parametrize("name", ["", "missing.py", "a\0b", "/", "x" * 5_000])
def test_only_an_existing_file_is_opened(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name) if name != "/" else name
    assert editor_command(TracebackFrame(path, 7, "f"), {"EDITOR": "vim"}) is None


def test_a_relative_path_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-c").touch()
    assert editor_command(TracebackFrame("-c", 7, "f"), {"EDITOR": "vim"}) is None
