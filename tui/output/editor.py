"""Opens a frame of a traceback in the user's editor, if its file exists on this host."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from textual.app import App, SuspendNotSupported

from ...model.text.frames import TracebackFrame

_PLACE_EDITORS: Final[Mapping[str, tuple[str, ...]]] = {
    "code": ("--goto",),
    "code-insiders": ("--goto",),
    "codium": ("--goto",),
    "cursor": ("--goto",),
    "hx": (),
    "helix": (),
    "subl": (),
    "zed": (),
}
"""Editors that take `path:line`, with the options before it; others take `+line path`."""


def editor_command(frame: TracebackFrame, environ: Mapping[str, str]) -> list[str] | None:
    """Return the command that opens a frame; None without an editor, or without the file.

    The path is text from the cluster: only an absolute path of a regular file is opened.
    """
    try:
        words = shlex.split(environ.get("VISUAL") or environ.get("EDITOR") or "")
        exists = Path(frame.path).is_absolute() and Path(frame.path).is_file()
    except (OSError, ValueError):
        return None
    if not words or not exists:
        return None
    options = _PLACE_EDITORS.get(Path(words[0]).name)
    if options is None:
        return [*words, f"+{frame.line}", frame.path]
    return [*words, *options, frame.place]


def open_in_editor(app: App[Any], frame: TracebackFrame) -> str | None:
    """Suspend the app and open a frame in the editor.

    Returns:
        None if the editor was opened, otherwise why not: empty without an editor or the file.
    """
    command = editor_command(frame, os.environ)
    if command is None or app.is_headless:
        return ""
    try:
        with app.suspend():
            subprocess.run(command, check=False)
    except SuspendNotSupported:
        return ""
    except OSError as error:
        return f"Cannot run {command[0]}: {error.strerror}"
    finally:
        app.refresh(layout=True)
    return None
