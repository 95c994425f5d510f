"""The results of `celtop check` as text, as JSON, and as a Nagios plugin prints them.

Fields may be added to version 1 of the JSON document; none is removed or renamed. Names that end in
`_at` are UTC times in ISO 8601, those in `_s` seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from ..model.health.check import STATUSES, CheckResult, Status
from ..model.text.sanitize import visible
from ..model.text.units import iso
from .encoding.json import utf8
from .snapshot.records import FindingRecord
from .snapshot.snapshot import finding_record

SCHEMA: Final = "celtop.check/1"
MAX_LINE: Final = 1_000
"""Characters of a line of text."""
MAX_NAGIOS_LINE: Final = 3_500
"""Characters of the text before the performance data: Nagios reads 4 KiB or more."""

Outcome: TypeAlias = Status | Literal["unreachable", "timeout", "usage"]
"""The worst status of all results; `unreachable` or `usage` if there is none, `timeout` if the
replies did not arrive in time."""

NAGIOS_CODES: Final[dict[Outcome, int]] = {
    "ok": 0, "warning": 1, "failed": 2, "unreachable": 2, "unknown": 3, "timeout": 3, "usage": 3,
}  # fmt: skip
"""Exit codes of plugins. A broker that is down is critical by Nagios' guidelines: `UNKNOWN` is for
errors of the plugin itself."""
_NAGIOS_WORDS: Final = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_WORDS: Final[dict[Status, str]] = {
    "ok": "OK", "warning": "WARNING", "unknown": "UNKNOWN", "failed": "FAILED",
}  # fmt: skip


class CheckRun(msgspec.Struct, frozen=True):
    """All checks of one run of the command."""

    broker: str
    """The broker's URL without its password; empty if it is not known."""
    outcome: Outcome
    results: tuple[CheckResult, ...] = ()
    error: str = ""
    """Why the broker cannot be used, or what is missing."""
    window: float | None = None
    """For how many seconds task events were received; None if the failure rate was not checked."""


class CheckRecord(msgspec.Struct, frozen=True, gc=False):
    """The result of one check."""

    check: str
    """The option: `max-waiting`, `max-age`, `min-workers`, `max-failure-rate`, `severity`."""
    subject: str
    status: str
    """`ok`, `warning`, `unknown` or `failed`."""
    text: str
    value: float | None
    limit: float | None
    unit: str | None
    """`s`, `%`, or null for a count."""
    next_step: str | None
    finding: FindingRecord | None


class CheckReport(msgspec.Struct, frozen=True, gc=False):
    """All checks of one run."""

    schema: str
    taken_at: str | None
    broker: str
    """The broker's URL without its password."""
    status: str
    """The worst status of the checks, `unreachable` or `timeout`."""
    error: str | None
    """Why the broker cannot be used."""
    window_s: float | None
    """For how long task events were received; null if the failure rate was not checked."""
    checks: list[CheckRecord]


def worst(results: Sequence[CheckResult]) -> Status:
    """Return the worst status of results; `ok` if there are none."""
    return max((one.status for one in results), key=STATUSES.index, default="ok")


def report(run: CheckRun, now: float) -> CheckReport:
    """Return the JSON document."""
    return CheckReport(
        SCHEMA,
        iso(now),
        utf8(run.broker),
        run.outcome,
        utf8(run.error) or None,
        run.window,
        [_record(one) for one in run.results],
    )


def _record(result: CheckResult) -> CheckRecord:
    return CheckRecord(
        result.check,
        utf8(result.subject),
        result.status,
        utf8(result.text),
        None if result.value is None else round(result.value, 3),
        result.limit,
        result.unit or None,
        utf8(result.next_step) or None,
        None if result.finding is None else finding_record(result.finding),
    )


def render(run: CheckRun) -> bytes:
    """Return one line for each result: status, subject, text and next step."""
    lines = (f"{_WORDS[one.status]:8}{_sentence(one)}" for one in run.results)
    return _encoded("".join(visible(line, MAX_LINE) + "\n" for line in lines))


def render_nagios(run: CheckRun) -> bytes:
    """Return the line of a plugin: status, what is wrong, and performance data."""
    wrong = [one for one in run.results if one.status != "ok"]
    wrong.sort(key=lambda one: STATUSES.index(one.status), reverse=True)
    shown = "; ".join(_sentence(one, with_step=False) for one in wrong or run.results)
    text = "; ".join(filter(None, (run.error, shown)))
    # A bar begins the performance data.
    text = visible(text.replace("|", "/"), MAX_NAGIOS_LINE)
    data = " ".join(filter(None, map(_performance, run.results)))
    word = _NAGIOS_WORDS[NAGIOS_CODES[run.outcome]]
    return _encoded(f"CELTOP {word} - {text}{f' | {data}' if data else ''}\n")


def _encoded(text: str) -> bytes:
    return text.encode(errors="backslashreplace")


def _sentence(result: CheckResult, *, with_step: bool = True) -> str:
    step = f". {result.next_step}" if with_step and result.next_step else ""
    return f"{result.subject}: {result.text}{step}"


def _performance(result: CheckResult) -> str:
    """Return `'LABEL'=VALUE[UNIT];;CRITICAL`, the value with the range that it must be in."""
    if result.value is None or result.limit is None:
        return ""
    name = result.subject if result.unit in ("", "%") else f"{result.subject} age"
    label = visible(name).replace("'", "''").replace("=", "_").replace("|", "/")
    critical = f"{result.limit:g}:" if result.check == "min-workers" else f"{result.limit:.12g}"
    return f"'{label}'={result.value:.12g}{result.unit};;{critical};0"
