"""`celtop report`: one file about celtop and the cluster, to attach to an issue."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ...arguments import STDIN, duration_option
from ...exit_codes import CommandError, ExitCode
from ...options import Command
from ...output import stderr
from ...output.document import list_context
from ...output.stdout import write
from ...stored import open_history

if TYPE_CHECKING:
    from ....export.report import Section
    from ....history.rows import StoredLog
    from ....model.health.steps import Step
    from ....settings import Settings

PACKAGES: Final = (
    *("celtop", "celery", "kombu", "amqp", "billiard", "redis", "textual", "rich", "plotext"),
    *("msgspec", "pydantic", "click", "psycopg", "backports.zstd", "prometheus-client"),
)
ENVIRONMENT: Final = ("TERM", "COLORTERM", "TERM_PROGRAM", "LANG", "LC_ALL", "NO_COLOR")
LOG_SECONDS: Final = 86_400.0
"""How far back the log reaches."""
PRESENT: Final = ("TMUX", "STY", "SSH_CONNECTION", "KUBERNETES_SERVICE_HOST")
"""Variables of which the report only states whether they are set."""


@click.command(cls=Command)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@duration_option("--wait", zero=True, default="2s", show_default=True,
                 help="Listen for events this long.")  # fmt: skip
@click.option("--tasks", type=click.IntRange(0), default=0, show_default=True, metavar="N",
              help="Include the N newest tasks, with their results.")  # fmt: skip
@click.pass_context
def report(ctx: click.Context, file: Path | None, wait: float, tasks: int) -> int:
    """Write a report to attach to an issue: versions, settings, findings, snapshot and log.

    FILE is Markdown, and begins with a list of what it contains; without FILE, it is named
    celtop-report-TIME.md, and `-` is stdout. Passwords and what the setting `redact` matches are
    masked; arguments and results of tasks are left out unless --tasks is given. Nothing is changed,
    and task events are not enabled.

    The report is also written if the broker cannot be reached: it then contains the reason.
    """
    from ....export.report import render
    from ...examination import load

    now = time.time()
    settings, steps = load(ctx)
    sections = [_versions(), _doctor(settings, steps)]
    if settings is not None:
        sections += [*_cluster(settings, wait, tasks), _settings(settings)]
    data = render(sections, now, len(settings.redact) if settings is not None else 0)
    if file is None:
        file = Path(time.strftime("celtop-report-%Y%m%d-%H%M%S.md", time.localtime(now)))
    if str(file) == STDIN:
        write(data)
    else:
        write(data, file)
        stderr.echo(f"Wrote {file}; read it before you publish it")
    return ExitCode.OK


def _versions() -> Section:
    from importlib.metadata import PackageNotFoundError, version

    from ....export.report import Section

    lines = [f"Python {sys.version}", f"System {platform.platform()}"]
    for name in PACKAGES:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} not installed")
    lines += [f"{name}={os.environ[name]}" for name in ENVIRONMENT if name in os.environ]
    lines += [f"{name} is set" for name in PRESENT if name in os.environ]
    return Section("Versions", "of Python, packages, the system and the terminal", "\n".join(lines))


def _doctor(settings: Settings | None, steps: list[Step]) -> Section:
    from ....export.doctor import render, render_summary
    from ....export.report import Section
    from ...examination import examine

    rest = () if settings is None else examine(settings, deep=True)
    steps = [*steps, *rest]
    text = b"".join(render(step, ascii_only=True) for step in steps if not step.is_left_out)
    text += render_summary(steps, ascii_only=True)
    return Section("Doctor", "the connection and the cluster, step by step", text.decode())


def _cluster(settings: Settings, wait: float, tasks: int) -> Iterator[Section]:
    """Yield the sections about the cluster, or why there are none."""
    from ....export.report import Section, cluster_sections, log_section
    from ....model.health.findings import findings
    from ...session import collect, open_session

    if not settings.broker_url:
        yield Section("Cluster", "why it is missing", "No broker URL")
        return
    settings = settings.model_copy(update={"enable_events": False})
    with open_session(settings, report=False) as session:
        try:
            collect(session, wait)
        except CommandError as error:
            yield Section("Cluster", "why it is missing", error.format_message())
            yield log_section((*_stored_log(settings, session.cluster), *session.state.log))
            return
        now = time.time()
        context = list_context(session, settings, now, "text")
        state = session.state
        state.take_changes()  # groups the failures
        yield from cluster_sections(context, findings(state, now), tasks)
        yield log_section((*_stored_log(settings, session.cluster), *state.log))


def _stored_log(settings: Settings, cluster: str) -> Sequence[StoredLog]:
    """Return the latest lines of the log in the history."""
    from ....export.report import MAX_LOG_LINES

    with open_history(settings) as store:
        if store is not None:
            now = time.time()
            return store.log(cluster, now - LOG_SECONDS, now, MAX_LOG_LINES)
    return ()


def _settings(settings: Settings) -> Section:
    from ....export.report import Section
    from ..setup.config import settings_text

    text = settings_text(settings).decode()
    return Section("Settings", "each with its source; passwords are masked", text)
