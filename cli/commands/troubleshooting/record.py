"""`celtop record`: writes everything that is observed to a file, for `celtop replay`."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ...arguments import duration_option, size_option
from ...exit_codes import CommandError, ExitCode, InvalidUsage
from ...interrupts import stop_on_signal
from ...options import Command, settings_of
from ...output import stderr
from ...output.status_line import CLEAR_TO_END
from ...output.stdout import write
from ...session import CONNECT_TIMEOUT, open_session, pump_until, wait_for_broker

if TYPE_CHECKING:
    from ....cluster.session import Session
    from ....recording.recorder import Recorder

TOPICS: Final = frozenset({"workers", "queues", "consumers", "schedule"})
"""The topics that are polled as often as by a screen that shows them."""


@click.command(cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@duration_option("--for", "seconds", help="Record for this long (default: until ctrl-c).")
@size_option("--max-bytes", default="1GB", show_default=True,
             help="End the recording when FILE has this size.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
@click.option("--snapshot", type=click.Path(dir_okay=False, path_type=Path), metavar="SNAPSHOT",
              help="Also write the snapshot at the end to this file, as JSON.")  # fmt: skip
@click.pass_context
def record(
    ctx: click.Context,
    file: Path,
    seconds: float | None,
    max_bytes: int,
    overwrite: bool,
    snapshot: Path | None,
) -> int:
    """Record a cluster to FILE, for a bug report or to study an incident later.

    FILE contains every event, reply, measurement and result that celtop receives, and can be
    replayed with `celtop replay`. Passwords in URLs, and what the setting `redact` matches, are
    masked before it is written. Only its owner can read it.

    FILE is compressed with zstd if its name ends in .zst, with gzip if it ends in .gz, not at all
    if it ends in .jsonl, and otherwise with zstd if that is installed, else with gzip.
    """
    settings = settings_of(ctx)
    replaced = overwrite and file.is_file()
    written = file.with_name(f"new-{file.name}") if replaced else file
    with open_session(settings) as session:
        recorder = _recorder(session, written, max_bytes)
        session.tap = recorder.put
        recorder.start()
        try:
            wait_for_broker(session, CONNECT_TIMEOUT)
        except BaseException:
            recorder.stop(time.time())
            written.unlink(missing_ok=True)
            raise
        if replaced:
            written.replace(file)  # not before there is something to record
        began = time.monotonic()
        _listen(session, recorder, file, seconds)
        now = time.time()
        session.tick(now)
        recorder.stop(now)
        if snapshot is not None:
            from ....export.encoding.json import encode
            from ....export.snapshot.snapshot import take_snapshot

            write(encode(take_snapshot(session.state, now)), snapshot)
    return _report(recorder, file, time.monotonic() - began)


def _recorder(session: Session, file: Path, max_bytes: int) -> Recorder:
    """Create the file.

    Raises:
        InvalidUsage: It exists or cannot be created.
    """
    from .... import __version__
    from ....model.ingest.redaction import Redaction
    from ....recording.header import header_of
    from ....recording.recorder import Recorder

    settings, transport = session.settings, session.state.broker.transport or ""
    header = header_of(settings, transport, time.time(), __version__)
    try:
        return Recorder(file, header, Redaction(settings.redact), max_bytes)
    except FileExistsError:
        raise InvalidUsage(f"{file} exists; choose another name, or add --overwrite") from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise InvalidUsage(f"Cannot write {file}: {reason}") from error
    except ValueError as error:
        raise InvalidUsage(f"Cannot write {file}: {error}") from error


def _listen(session: Session, recorder: Recorder, file: Path, seconds: float | None) -> None:
    """Record until the time is over, a signal arrives, or the recorder has ended."""
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True

    def done() -> bool:
        progress.show()
        return stopped or recorder.ended

    progress = _Progress(recorder)
    session.watch(TOPICS)
    until = "" if seconds is not None else "; ctrl-c ends the recording"
    stderr.echo(f"Recording {session.state.broker.url} to {file}{until}")
    with stop_on_signal(stop):
        pump_until(session, seconds or float("inf"), done)
    progress.end()


class _Progress:
    """How much was recorded, on a line of a terminal that is updated each second."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._began = time.monotonic()
        self._shown = 0.0
        self._shows = sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "")

    def show(self) -> None:
        """Update the line if it is due."""
        now = time.monotonic()
        if self._shows and now - self._shown >= 1.0:
            self._shown = now
            self._print(f"{_amount(self._recorder, now - self._began)}{CLEAR_TO_END}\r")

    def end(self) -> None:
        """Clear the line."""
        if self._shown:
            self._print(CLEAR_TO_END)

    def _print(self, text: str) -> None:
        with suppress(OSError):
            print(text, end="", file=sys.stderr, flush=True)


def _amount(recorder: Recorder, seconds: float) -> str:
    """Return how much was recorded: `1 m 30 s: 2,547 records, 204 KiB`."""
    from ....model.text import units
    from ....model.text.phrases import counted

    records = counted(recorder.records, "record")
    return f"{units.duration(seconds)}: {records}, {units.size(recorder.written)}"


def _report(recorder: Recorder, file: Path, seconds: float) -> int:
    """Report what was recorded.

    Raises:
        CommandError: The file could not be written to the end.
    """
    what = _amount(recorder, seconds)
    if recorder.fault is not None:
        raise CommandError(
            f"Cannot write {file}: {recorder.fault}. The recording ends there ({what});"
            f" it can be replayed with: celtop replay {file}"
        )
    if recorder.is_full:
        stderr.echo(f"{file} has reached --max-bytes; the recording has ended")
    stderr.echo(f"Recorded {what}. Replay it with: celtop replay {file}")
    return ExitCode.OK
