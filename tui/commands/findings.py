"""The commands that acknowledge findings, and take that back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...files.acknowledgements import FILE_NAME
from ...model.health.finding import Finding
from ...model.text.phrases import counted
from ..host import Host
from ..text.alerts import Alert
from .base import Command, CommandError, CommandHost

if TYPE_CHECKING:
    from ...widgets.table.live_table import LiveTable

ALL: Final = "all"


def acknowledge_selected(host: CommandHost) -> None:
    """Acknowledge the selected findings, or take that back if all of them are acknowledged."""
    quiets = host.context.acknowledgements.quiets
    try:
        found = _found(host, "")
    except CommandError as error:
        host.say(str(error), "warning")
        return
    if all(map(quiets, found)):
        _take_back(host, found)
    else:
        _acknowledge(host, [finding for finding in found if not quiets(finding)])
        _go_on(host.table)


def _go_on(table: LiveTable[Any] | None) -> None:
    """Go to the next finding: the acknowledged one moves to the end."""
    if table is None:
        return
    if table.marks:
        table.action_unmark_all()
    else:
        table.action_move("down")


def _acknowledge_named(host: CommandHost, argument: str) -> None:
    _acknowledge(host, _found(host, argument))


def _take_back_named(host: CommandHost, argument: str) -> None:
    _take_back(host, _found(host, argument))


def _acknowledge(host: CommandHost, found: Sequence[Finding]) -> None:
    try:
        host.context.acknowledgements.add(found, host.context.clock())
    except OSError as error:
        host.say(f"Acknowledged until celtop exits: {_reason(error)}", "warning")
        return
    they = "it returns if it becomes" if len(found) == 1 else "they return if they become"
    host.say(f"Acknowledged {_which(found)}; {they} worse")


def _reason(error: OSError) -> str:
    return f"cannot write {FILE_NAME}: {error.strerror}"


def _take_back(host: CommandHost, found: Sequence[Finding]) -> None:
    try:
        host.context.acknowledgements.remove(found)
    except OSError as error:
        host.say(f"Taken back until celtop exits: {_reason(error)}", "warning")
        return
    host.say(f"{_which(found)} {'is' if len(found) == 1 else 'are'} no longer acknowledged")


def _which(found: Sequence[Finding]) -> str:
    return _name(found[0]) if len(found) == 1 else counted(len(found), "finding")


def _found(host: CommandHost, argument: str) -> Sequence[Finding]:
    """Return the findings that an argument names; without one, the selected ones.

    Raises:
        CommandError: There are none.
    """
    if not argument:
        found = [finding for alert in host.chosen(Alert) for finding in alert.group]
        if not found:
            key = host.context.keymap.key("view.findings") or "`:findings`"
            raise CommandError(f"No finding is selected; {key} lists all of them")
        return found
    named = [
        finding
        for finding in host.context.findings
        if argument in (ALL, finding.code, finding.name, finding.subject, _name(finding))
    ]
    if not named:
        raise CommandError(f"No finding {argument}; name a code, a subject, both, or {ALL}")
    return named


def _name(finding: Finding) -> str:
    return f"{finding.code} {finding.subject}"


def _open(host: Host) -> Iterable[str]:
    quiets = host.context.acknowledgements.quiets
    return [_name(one) for one in host.context.findings if not quiets(one)] + [ALL]


def _acknowledged(host: Host) -> Iterable[str]:
    quiets = host.context.acknowledgements.quiets
    return [_name(one) for one in host.context.findings if quiets(one)] + [ALL]


FINDING_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "ack",
        "Acknowledge findings until they become worse",
        _acknowledge_named,
        "[CODE SUBJECT|all]",
        _open,
    ),
    Command(
        "unack",
        "Take the acknowledgement of findings back",
        _take_back_named,
        "[CODE SUBJECT|all]",
        _acknowledged,
    ),
)
