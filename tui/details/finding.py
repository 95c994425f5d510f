"""A finding in full: its meaning, its evidence and the next step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ...lists import numbers
from ...model.health.codes import CODES
from ...model.text import units
from ...model.text.phrases import named
from ...model.text.sanitize import visible
from ...widgets.fields import Field
from ...widgets.table.column import Frame
from ..text.alerts import Alert

_MAX_TEXT: Final = 600
"""Characters of a value."""
_TIME_WIDTH: Final = 11


def finding_fields(alert: Alert, frame: Frame) -> list[Field]:
    """Return the fields of a finding; long texts are for a widget that wraps them."""
    finding = alert.finding
    severity = finding.severity + (", acknowledged" if alert.acknowledged else "")
    fields = [
        Field("Problem", _text(finding.text), "text" if alert.level == "idle" else alert.level)
    ]
    if finding.next_step:
        fields.append(Field("Next step", _text(finding.next_step), "accent"))
    fields.append(Field("Severity", severity))
    if finding.since is not None:
        since, style = numbers.time_or_date(finding.since, frame, _TIME_WIDTH)
        fields.append(Field("Since", f"{since} ({units.age(finding.since, frame.now)})", style))
    for name, value in finding.evidence.items():
        if name == "unconsumed_since_at" and _began_before(finding.since, value):
            continue  # it is when this celtop started; the history knows the beginning
        label, text = evidence_text(name, value, frame)
        fields.append(Field(_text(label), _text(text)))
    code = CODES.get(finding.code)
    if code is not None:
        fields.append(Field("Meaning", code.meaning.replace("`", ""), "muted"))
        fields.append(Field("What to do", code.remedy.replace("`", ""), "muted"))
    fields.append(Field("Code", finding.code, "muted"))
    return fields


def _began_before(since: float | None, at: object) -> bool:
    return since is not None and isinstance(at, float) and since < at


def evidence_text(name: str, value: object, frame: Frame) -> tuple[str, str]:
    """Return the label and the text of one fact; the end of its name is its unit."""

    def moment(at: float) -> str:
        return f"{numbers.time_or_date(at, frame, _TIME_WIDTH)[0]} ({units.ago(at, frame.now)})"

    kinds: tuple[tuple[str, Callable[[float], str]], ...] = (
        ("_at", moment),
        ("_per_s", units.rate),
        ("_s", units.duration),
        ("_bytes", units.size),
    )
    for suffix, text_of in kinds:
        if name.endswith(suffix):
            number = float(value) if isinstance(value, int | float) else None
            text = units.UNKNOWN if number is None else text_of(number)
            return _label(name.removesuffix(suffix)), text
    if "since" in name and isinstance(value, float):
        return _label(name), f"{units.elapsed(value, frame.now)} ago"
    if name.startswith("share") and isinstance(value, float):
        return _label(name), units.percent(value)
    return _label(name), _plain(value)


def _plain(value: object) -> str:
    if value is None:
        return units.UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return units.count(value)
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return named([str(each) for each in value])
    return str(value)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(text: str) -> str:
    return visible(text, _MAX_TEXT)
