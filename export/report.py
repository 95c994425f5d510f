"""A report: one Markdown document to attach to an issue.

All text is in fenced blocks, so that nothing from the cluster is interpreted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from ..lists.context import ListContext
from ..lists.listing import LISTINGS
from ..model.health.finding import Finding
from ..model.text.passwords import mask_text
from ..model.text.sanitize import visible
from ..model.text.units import UNKNOWN, iso
from .encoding.json import utf8
from .encoding.text import render as render_document
from .lists.document import list_document
from .snapshot.document import snapshot_document

WIDTH: Final = 160
"""Cells of its tables."""
MAX_LINE: Final = 1_000
MAX_LOG_LINES: Final = 500
MAX_ROWS: Final = 100
"""Rows of the lists of task types and failures."""


class Section(NamedTuple):
    """One part of a report."""

    title: str
    about: str
    """The contents, for the list at the beginning."""
    text: str


class LogLine(Protocol):
    """A line of the log: of this session, or from the history."""

    @property
    def at(self) -> float:
        """Epoch seconds."""

    @property
    def level(self) -> str:
        """`info`, `warning` or `error`."""

    @property
    def source(self) -> str:
        """`broker`, `worker`, ..."""

    @property
    def text(self) -> str:
        """The event in words."""


def render(sections: Sequence[Section], now: float, redaction: int) -> bytes:
    """Return the report.

    Args:
        sections: Its parts.
        now: When it was made, epoch seconds.
        redaction: How many patterns of the user were applied.
    """
    contents = [f"- **{one.title}**: {one.about}" for one in sections]
    patterns = f"the {redaction} patterns" if redaction > 1 else "the pattern"
    masked = f", and what {patterns} of the setting `redact` matched" if redaction else ""
    parts = [
        f"# celtop report\n\nMade at {iso(now)}. Passwords are masked{masked}."
        " Names of hosts, queues and tasks are not: read it before you publish it. It contains:",
        "\n".join(contents),
        *(f"## {one.title}\n\n{_fenced(one.text)}" for one in sections),
    ]
    return ("\n\n".join(parts) + "\n").encode(errors="backslashreplace")


def _fenced(text: str) -> str:
    """Return text in a block that it cannot end."""
    lines = [utf8(visible(line, MAX_LINE)) for line in mask_text(text).splitlines()]
    body = "\n".join(lines).strip("\n") or "(nothing)"
    ticks = max((len(run) for run in re.findall(r"`{3,}", body)), default=2)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}text\n{body}\n{fence}"


def cluster_sections(context: ListContext, found: Iterable[Finding], tasks: int) -> list[Section]:
    """Return the sections about a cluster.

    Args:
        context: The model, the clock and how to draw.
        found: The findings.
        tasks: How many of the newest tasks are listed, with their results.
    """
    about = "broker, counts, workers, queues and notes"
    if tasks:
        about += f", and the {tasks:,} newest tasks with their results"
    snapshot = render_document(snapshot_document(context, limit=tasks), WIDTH)
    return [
        Section("Findings", "what needs attention", _findings(found)),
        Section("Snapshot", about, snapshot),
        Section("Task types", "counts and run times by task name", _list("types", context)),
        Section("Failures", "exceptions, grouped by location", _list("failures", context)),
    ]


def log_section(log: Iterable[LogLine]) -> Section:
    """Return the section of the log, which is given oldest first."""
    lines = [f"{iso(one.at) or UNKNOWN} {one.level:<8} {one.source}: {one.text}" for one in log]
    about = f"its last {MAX_LOG_LINES} lines, those of the history included"
    return Section("Log", about, "\n".join(lines[-MAX_LOG_LINES:]))


def _findings(found: Iterable[Finding]) -> str:
    return "\n".join(f"{one.severity:<8} {one.code}: {one.subject}: {one}" for one in found)


def _list(name: str, context: ListContext) -> str:
    listing = LISTINGS[name]
    rows = listing.rows(context, "", listing.order_by(context))
    return render_document(list_document(name, context, rows, MAX_ROWS), WIDTH)
