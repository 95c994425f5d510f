"""The outcome of an operation as text: one line, and the details below it.

Both may contain names and replies of workers: hostile, as everything from the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..text.phrases import counted, named, short_id, shortened
from .commands import Drain, Purge, PurgeResults, Shutdown, WorkerOperation
from .operation import Words
from .outcome import MARKED_ONLY, Answer, Outcome, Verdict

MAX_DETAIL_LINES: Final = 50
"""Further lines are counted."""
MAX_REASON_LENGTH: Final = 200
"""Characters of one reason."""

_VERDICTS: Final[dict[Verdict, str]] = {
    "unsure": "possibly not sent",
    "refused": "refused",
    "silent": "did not reply",
    "unsent": "not sent",
    "restored": "restored",
}
"""The words of all verdicts but `confirmed`, the worst first."""


def sentence(outcome: Outcome) -> str:
    """Return the outcome, or the progress, in one line.

    For example `Revoked 12 tasks; 3 of 3 workers confirmed`.
    """
    phrase = outcome.operation.phrase()
    if outcome.refusal is not None:
        return f"Did not {_infinitive(phrase)}: {_short(outcome.refusal)}"
    if not outcome.ended:
        return _progress(outcome, phrase)
    parts = [_headline(outcome, phrase), *_confirmations(outcome), *_marked_only(outcome)]
    parts += _published(outcome)
    if outcome.fault is not None:
        parts.append(str(outcome.fault))
    if outcome.unlogged is not None:
        parts.append(f"not in the audit file: {_short(outcome.unlogged)}")
    return "; ".join(parts)


def details(outcome: Outcome) -> tuple[str, ...]:
    """Return a line for each worker and each target without confirmation, the worst first."""
    answers = {**outcome.targets, **outcome.workers}
    lines = [
        f"{name}: {words}{f': {_short(answer.text)}' if answer.text else ''}"
        for verdict, words in _VERDICTS.items()
        for name, answer in answers.items()
        if answer.verdict == verdict
    ]
    return tuple(shortened(lines, MAX_DETAIL_LINES))


def replies(outcome: Outcome) -> tuple[str, ...]:
    """Return the replies to a read-only operation as lines, worker by worker."""
    lines: list[str] = []
    for name in sorted(outcome.workers_having("confirmed")) if outcome.operation.read_only else ():
        reply = outcome.workers[name].text.strip().splitlines()
        lines += [f"{name}: {reply[0]}"] if len(reply) == 1 else [f"{name}:", *reply]
    return tuple(lines)


def _infinitive(phrase: Words) -> str:
    return f"{phrase.infinitive[0].lower()}{phrase.infinitive[1:]} {phrase.object}"


def _progress(outcome: Outcome, phrase: Words) -> str:
    expected = outcome.operation.expected_workers
    parts = []
    if expected:
        replied = sum(answer.verdict != "silent" for answer in outcome.workers.values())
        # These end with each worker's exit; its replies before that are not counted.
        exits = isinstance(outcome.operation, Drain | Shutdown)
        verb = phrase.past.lower() if exits else "replied"
        parts.append(f"{replied:,} of {counted(len(expected), 'worker')} {verb}")
    elif outcome.targets:
        parts.append(f"{len(outcome.targets):,} so far")
    if outcome.stage:
        parts.append(outcome.stage)
    tail = f": {', '.join(parts)}" if parts else " ..."
    return f"{phrase.progressive} {phrase.object}{tail}"


def _headline(outcome: Outcome, phrase: Words) -> str:
    """Return what was done; if only some targets are certain, how many of them."""
    operation = outcome.operation
    if isinstance(operation, Purge) and outcome.count is not None:
        of_task = "" if operation.task is None else f" of {operation.task}"
        return f"Purged {counted(outcome.count, 'message')}{of_task} from {operation.queue}"
    if isinstance(operation, PurgeResults) and outcome.count is not None:
        return f"Deleted {counted(outcome.count, 'result')}"
    answers = outcome.targets or outcome.workers
    certain = sum(answer.verdict == "confirmed" for answer in answers.values())
    if marked := _number_marked_only(outcome):
        return f"{phrase.past} {certain - marked:,} of {phrase.object}"
    if certain == len(answers) and (answers or outcome.fault is None):
        return f"{phrase.past} {phrase.object}"
    if not certain:
        verdicts = {one.verdict for one in (*outcome.targets.values(), *outcome.workers.values())}
        if verdicts & {"unsure", "silent"}:
            return f"{phrase.infinitive} {phrase.object}: result unknown"
        if "restored" in verdicts:
            return f"Cancelled {phrase.progressive.lower()} {phrase.object}"
        return f"Did not {_infinitive(phrase)}"
    counts = bool(outcome.targets) or isinstance(operation, WorkerOperation)
    if counts and phrase.object[0].isdigit():
        return f"{phrase.past} {certain:,} of {phrase.object}"
    return f"{phrase.past} {phrase.object} (partly)"


def _confirmations(outcome: Outcome) -> list[str]:
    """Return how many workers confirmed, and which did not; without workers, of the targets."""
    workers = outcome.workers
    if not workers:
        parts = _unconfirmed(outcome.targets, by_name=len(outcome.targets) == 1)
        return [", ".join(parts)] if parts else []
    confirmed, number = outcome.number_of_workers("confirmed"), outcome.number_of_workers()
    verb = "replied" if outcome.operation.read_only else "confirmed"
    parts = [f"{confirmed:,} of {counted(number, 'worker')} {verb}"]
    if not confirmed and outcome.workers_having("restored"):
        parts = []  # none was to confirm it after that
    parts += _unconfirmed(workers, by_name=True)
    # Targets that a worker's own answer explains are not counted a second time.
    others = {
        name: answer
        for name, answer in outcome.targets.items()
        if name not in workers and answer.verdict not in ("confirmed", "silent")
    }
    if others and confirmed == number:
        parts += _unconfirmed(others, by_name=False)
    return [", ".join(parts)]


def _unconfirmed(answers: Mapping[str, Answer], by_name: bool) -> list[str]:
    parts = []
    for verdict, words in _VERDICTS.items():
        found = [name for name, answer in answers.items() if answer.verdict == verdict]
        if not found:
            continue
        reasons = list(dict.fromkeys(answers[name].text for name in found if answers[name].text))
        why = f" ({_short(reasons[0])}{' ...' if len(reasons) > 1 else ''})" if reasons else ""
        names = named([short_id(name) for name in found]) if by_name else f"{len(found):,}"
        parts.append(f"{names} {words}{why}")
    return parts


def _marked_only(outcome: Outcome) -> list[str]:
    """Return how many tasks to be terminated no worker held: no signal was sent for these."""
    number = _number_marked_only(outcome)
    if not number:
        return []
    which = "the task" if len(outcome.targets) == 1 else f"{number:,} of them"
    return [f"no worker had {which}: only marked as revoked"]


def _number_marked_only(outcome: Outcome) -> int:
    return sum(answer.text == MARKED_ONLY for answer in outcome.targets.values())


def _published(outcome: Outcome) -> list[str]:
    sent = outcome.sent
    if not sent:
        return []
    if len(sent) == 1:
        return [f"id {sent[0].id}, queue {sent[0].queue}"]
    queues = list(dict.fromkeys(one.queue for one in sent))
    ids = named([short_id(one.id) for one in sent])
    return [f"ids {ids}, {'queue' if len(queues) == 1 else 'queues'} {named(queues)}"]


def _short(text: str) -> str:
    return text if len(text) <= MAX_REASON_LENGTH else text[: MAX_REASON_LENGTH - 3] + "..."
