"""Asking before tasks are sent: again, or new ones."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ..operations.call import SOURCE_WORDS, Call
from ..operations.commands import Retry, Trigger
from ..text import units
from ..text.phrases import SHORT_ID_LENGTH, counted, named, tallied, verb
from .confirmation import NAMED, Confirmation, listed, task_line, typed_count
from .targets import registered

if TYPE_CHECKING:
    from ..state import ClusterState

JSON: Final = frozenset({"json", "application/json"})
"""What new messages are in, as `accept_content` may name it."""


def retry(command: Retry, state: ClusterState, now: float) -> Confirmation:
    """Ask before tasks are sent again."""
    originals = command.originals
    number = len(originals)
    calls = [original.call for original in originals]
    sources = Counter(original.source for original in originals)
    effects = [
        "Sent again as their caller sent them, with the same arguments, each under a new id"
        if number > 1
        else "Sent again as its caller sent it, with the same arguments, under a new id"
    ]
    words = [(found, SOURCE_WORDS[source]) for source, found in sources.most_common()]
    if len(words) == 1:
        effects.append(f"The arguments come from {words[0][1]}")
    elif words:
        told = ", ".join(f"{found:,} from {source}" for found, source in words)
        effects.append(f"The arguments come: {told}")
    effects += _where(calls, state)
    caveats = _left_out(command)
    alive = [
        task
        for original in originals
        if (task := state.tasks.get(original.id)) is not None and not task.finished
    ]
    if alive:
        caveats.append(
            f"{'It has' if number == 1 else _have(len(alive))} not ended yet, as far as "
            "is known: the work may be done twice"
        )
    caveats.append("The earlier tasks stay as they are, and so do their results")
    return Confirmation(
        "Retry",
        f"Retry {counted(number, 'task')}",
        listed([task_line(state, original.id) for original in originals[:NAMED]], number),
        tuple(effects),
        tuple(caveats),
        (),
        typed_count(number),
        False,
        _refusal(calls),
    )


def trigger(command: Trigger, state: ClusterState, now: float) -> Confirmation:
    """Ask before new tasks are sent."""
    calls = command.calls
    number = len(calls)
    effects = [f"{counted(number, 'new task')} {'is' if number == 1 else 'are'} sent"]
    effects += _where(list(calls), state)
    effects += _when(calls, now)
    if repeats := [call.retry_of[:SHORT_ID_LENGTH] for call in calls if call.retry_of]:
        effects.append(f"Linked to {named(repeats)}, which it repeats with other arguments")
    caveats = []
    known = registered(state)
    if strange := sorted({call.name for call in calls} - known) if known else []:
        caveats.append(
            f"No worker that answered has registered {named(strange)}: the one that takes it will "
            "discard it"
        )
    caveats += _deaf(state)
    caveats.append("What was sent can be revoked until it starts, and not be taken back")
    return Confirmation(
        "Send",
        f"Send {calls[0].name}" if number == 1 else f"Send {counted(number, 'task')}",
        listed([_call_line(call) for call in calls[:NAMED]], number),
        tuple(effects),
        tuple(caveats),
        (),
        typed_count(number),
        False,
        _refusal(list(calls)),
    )


def _where(calls: list[Call], state: ClusterState) -> list[str]:
    """Return which queues they go to, and which of these nobody is known to consume."""
    queues = [call.queue for call in calls if call.queue]
    if not queues:
        return []
    distinct = sorted(set(queues))
    one = len(distinct) == 1
    lines = [f"Into the queue {queues[0]}" if one else f"By queue: {tallied(queues)}"]
    consumed = {queue.name for worker in state.workers.values() for queue in worker.queues or ()}
    deserted = [
        name
        for name in distinct
        if name not in consumed
        and not ((queue := state.queues.get(name)) and (queue.consumers or queue.consumer_count))
    ]
    if deserted:
        lines.append(f"Nobody is known to consume {named(deserted)}: it waits until somebody does")
    return lines


def _deaf(state: ClusterState) -> list[str]:
    """Return a line about the workers that take no JSON, which is what new messages are in."""
    deaf = []
    for name, worker in state.workers.items():
        told = (worker.conf or {}).get("accept_content")
        if isinstance(told, list | tuple) and not {"json", "application/json"} & set(
            map(str, told)
        ):
            deaf.append(name)
    who = verb(deaf, "takes", "take")
    return [f"{who} no JSON (accept_content), and will discard it"] if deaf else []


def _when(calls: tuple[Call, ...], now: float) -> list[str]:
    lines = []
    if waits := [call for call in calls if call.countdown or call.eta_at]:
        start = waits[0].countdown or (waits[0].eta_at or now) - now
        lines.append(f"Not started before {units.duration(max(0.0, start))} from now")
    if expiring := [call.expires_in for call in calls if call.expires_in is not None]:
        lines.append(f"Given up if not started within {units.duration(min(expiring))}")
    return lines


def _left_out(command: Retry) -> list[str]:
    missing = Counter(thing for original in command.originals for thing in original.missing)
    number = len(command.originals)
    things: dict[int, list[str]] = {}
    for thing, found in missing.most_common():
        things.setdefault(found, []).append(thing)
    lines = [
        f"Not known, and so not sent: {', '.join(found)}"
        + ("" if number == 1 else f" (of {count:,} of {number:,})")
        for count, found in things.items()
    ]
    if command.with_links:
        lines.append("No chord is joined again: its other members have ended without this")
    elif not any("callback" in thing for thing in missing):
        lines.append("Callbacks and the rest of a chain are not sent along")
    if unplaced := sum(original.call.queue is None for original in command.originals):
        lines.append(f"{counted(unplaced, 'task')} whose queue is not known will not be sent")
    return lines


def _refusal(calls: list[Call]) -> str | None:
    if not calls:
        return "nothing is selected that could be sent"
    if all(call.queue is None for call in calls):
        return "it is not known into which queue"
    return None


def _have(number: int) -> str:
    return f"{number:,} of them {'has' if number == 1 else 'have'}"


def _call_line(call: Call) -> str:
    return f"{call.name} into {call.queue or units.UNKNOWN}"
