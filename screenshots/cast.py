"""Records a terminal session for the documents: a failure is found, read and retried.

The file is an asciicast (https://docs.asciinema.org/manual/asciicast/v2/): `asciinema play` shows
it. Run with `--live`, this file is the recorded program: celtop on the running demo.
"""

from __future__ import annotations

import codecs
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from celtop.cluster.session import Session
from celtop.demo.cluster import DemoCluster
from celtop.screenshots.take import SEED, STARTED_AT, MovedState
from celtop.settings import Settings
from celtop.tests.terminal import Terminal
from celtop.tui.app.app import CeltopApp

NAME: Final = "retry.cast"
COLUMNS: Final = 100
ROWS: Final = 30
STEP: Final = 0.05
"""Seconds between two looks at the terminal."""
TIMEOUT: Final = 120.0
BEGIN: Final = "\x1b[?1049h\x1b[?25l\x1b[2J"
"""Before the first picture: the alternate screen, without a cursor and cleared."""


@dataclass(frozen=True, slots=True)
class Act:
    """A key that is pressed when a text is on the screen, and the time to look at it."""

    key: str
    awaited: str
    seconds: float = 2.0
    """Between the text and the key."""


ACTS: Final = (
    Act("2", "Attention", 4.0),
    Act("/", "First seen"),
    *(Act(character, "First seen", 0.15) for character in "state:failure"),
    Act("\r", "FAILURE", 1.5),
    Act("\r", "FAILURE", 3.0),
    Act("R", "Arguments", 5.0),
    Act("y", "Retry 1 task", 4.0),
    Act("1", "Retried 1 task", 4.0),
)
"""From the Overview to a retried task; the letter keys are celtop's default ones."""


class Recorder:
    """Writes down what a terminal shows, with the seconds since it began."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._seen = len(terminal.output)
        self._begins = time.monotonic()
        # A chunk may end within a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.events: list[tuple[float, str, str]] = [(0.0, "o", BEGIN)]

    def watch(self, seconds: float) -> None:
        """Record for some seconds."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            time.sleep(STEP)
            fresh = bytes(self._terminal.output[self._seen :])
            self._seen += len(fresh)
            if text := self._decoder.decode(fresh):
                self.events.append((round(time.monotonic() - self._begins, 3), "o", text))


def record(path: Path) -> None:
    """Record the session.

    Raises:
        AssertionError: A text did not appear.
    """
    command = (sys.executable, __file__, "--live")
    # In 256 colours the file is smaller by a third.
    environment = {"COLORTERM": ""}
    with Terminal(command, columns=COLUMNS, rows=ROWS, env=environment) as terminal:
        terminal.wait_for(lambda text: "Attention" in text and " 3 ×" in text, TIMEOUT)
        # The beginning is left out: the next screen is painted as a whole.
        terminal.send("2")
        terminal.wait_for("First seen")
        recorder = Recorder(terminal)
        terminal.send("1")
        for act in ACTS:
            terminal.wait_for(act.awaited)
            recorder.watch(act.seconds)
            terminal.send(act.key)
        recorder.watch(1.0)
    header = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "celtop"}
    lines = [json.dumps(line, ensure_ascii=False) for line in (header, *recorder.events)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def live() -> None:
    """Run the demo with the moved clock, and celtop on it."""
    offset = STARTED_AT - time.time()
    with DemoCluster(SEED, os.environ) as cluster:
        settings = Settings(
            broker_url=cluster.url, timezone="utc", ascii=False, frames_per_second=2
        )
        session = Session(settings, MovedState(offset))
        CeltopApp(session, settings, clock=lambda: time.time() + offset).run()


if __name__ == "__main__":
    if sys.argv[1:] == ["--live"]:
        live()
    else:
        record(Path(__file__).with_name(NAME))
