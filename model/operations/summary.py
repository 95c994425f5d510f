"""What came of an act, in one line and in the lines below it.

All of it may hold names and words of workers: hostile, as everything from the cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ..text.phrases import SHORT_ID_LENGTH, counted, named
from . import commands as commands
from .outcome import FLAGGED, Answer, Outcome, Verdict

DETAILS: Final = 50
"""Lines of details at most; the rest are counted."""
LONGEST_REASON: Final = 200
"""Characters of one reason."""


class _Phrase(NamedTuple):
    """An act in three tenses, without what it is done to, and that."""

    done: str
    doing: str
    todo: str
    object: str

    def past(self) -> str:
        return f"{self.done} {self.object}".rstrip()

    def present(self) -> str:
        return f"{self.doing} {self.object}".rstrip()

    def infinitive(self) -> str:
        return f"{self.todo} {self.object}".rstrip()


def sentence(outcome: Outcome) -> str:
    """Return what came of an act, or how far it is: `revoked 12: 3 of 3 workers confirmed`."""
    phrase = _PHRASES[type(outcome.command)](outcome.command)
    if outcome.refusal is not None:
        return f"did not {phrase.infinitive()}: {_short(outcome.refusal)}"
    if not outcome.ended:
        return _under_way(outcome, phrase)
    said = [*_who_said_what(outcome), *_without_worker(outcome), *_what_was_sent(outcome)]
    told = "; ".join(said)
    if outcome.fault is not None:
        told = f"{told}; {outcome.fault}" if told else str(outcome.fault)
    tail = f": {told}" if told else ""
    if outcome.unlogged is not None:
        tail += f" (not in the audit file: {_short(outcome.unlogged)})"
    return _head(outcome, phrase) + tail


def details(outcome: Outcome) -> tuple[str, ...]:
    """Return a line for each worker and each target that did not confirm, the worst first."""
    answers = {**outcome.targets, **outcome.workers}
    lines = [
        f"{name}: {_words(answer)}"
        for verdict in ("unsure", "refused", "silent", "unsent")
        for name, answer in answers.items()
        if answer.verdict == verdict
    ]
    more = len(lines) - DETAILS
    return (*lines[:DETAILS], f"and {more:,} more") if more > 0 else tuple(lines)


def _under_way(outcome: Outcome, phrase: _Phrase) -> str:
    expected = _expected(outcome.command)
    answered = sum(answer.verdict != "silent" for answer in outcome.workers.values())
    parts = []
    if expected:
        parts.append(f"{answered:,} of {counted(len(expected), 'worker')} so far")
    elif outcome.targets:
        parts.append(f"{len(outcome.targets):,} so far")
    if outcome.stage:
        parts.append(outcome.stage)
    tail = f": {', '.join(parts)}" if parts else " ..."
    return phrase.present() + tail


def _head(outcome: Outcome, phrase: _Phrase) -> str:
    """Return what was done; of several targets only those of which it is certain."""
    command = outcome.command
    if isinstance(command, commands.Purge) and outcome.count is not None:
        of_task = f" of {command.task}" if command.task else ""
        return f"purged {counted(outcome.count, 'message')}{of_task} from {command.queue}"
    answers = outcome.targets or outcome.workers
    certain = sum(answer.verdict == "confirmed" for answer in answers.values())
    unsure = any(answer.verdict == "unsure" for answer in answers.values())
    if certain == len(answers) and (answers or outcome.fault is None):
        return phrase.past()
    if not certain:
        if unsure or _any(outcome, "silent"):
            return f"{phrase.infinitive()}: not known whether it was done"
        return f"did not {phrase.infinitive()}"
    counts = bool(outcome.targets) or isinstance(command, commands.ToWorkers)
    if counts and phrase.object[:1].isdigit():
        return f"{phrase.done} {certain:,} of {phrase.object}"
    return f"{phrase.past()} in part"


def _who_said_what(outcome: Outcome) -> list[str]:
    """Return how many workers confirmed, and who did not; where none is asked, of the targets."""
    workers = outcome.workers
    if workers:
        confirmed = len(outcome.workers_having("confirmed"))
        parts = [f"{confirmed:,} of {counted(len(workers), 'worker')} confirmed"]
        parts += _others(workers, name_them=True)
        # A target that its worker's answer explains already is not counted once more.
        odd = {
            name: answer
            for name, answer in outcome.targets.items()
            if name not in workers and answer.verdict not in ("confirmed", "silent")
        }
        if odd and confirmed == len(workers):
            parts += _others(odd, name_them=False)
        return [", ".join(parts)]
    parts = _others(outcome.targets, name_them=len(outcome.targets) == 1)
    return [", ".join(parts)] if parts else []


def _others(answers: Mapping[str, Answer], name_them: bool) -> list[str]:
    parts = []
    for verdict, told in _VERDICTS.items():
        found = [name for name, answer in answers.items() if answer.verdict == verdict]
        if not found:
            continue
        reasons = list(dict.fromkeys(answers[name].text for name in found if answers[name].text))
        why = f" ({_short(reasons[0])}{' ...' if len(reasons) > 1 else ''})" if reasons else ""
        who = named([_name(name) for name in found]) if name_them else f"{len(found):,}"
        parts.append(f"{who} {told}{why}")
    return parts


def _without_worker(outcome: Outcome) -> list[str]:
    """Return how many tasks that were to be ended were not there to be: no signal was sent."""
    number = sum(answer.text == FLAGGED for answer in outcome.targets.values())
    if not number:
        return []
    which = "it" if len(outcome.targets) == 1 else f"{number:,} of them"
    return [f"no worker had {which}, only flagged as revoked"]


def _what_was_sent(outcome: Outcome) -> list[str]:
    sent = outcome.sent
    if not sent:
        return []
    if len(sent) == 1:
        return [f"{sent[0].id} in {sent[0].queue}"]
    queues = list(dict.fromkeys(one.queue for one in sent))
    return [f"{named([one.id[:SHORT_ID_LENGTH] for one in sent])} in {named(queues)}"]


def _expected(command: commands.AnyOperation) -> Sequence[str]:
    if isinstance(command, commands.PauseQueue | commands.ResumeQueue):
        return [consumer.worker for consumer in command.consumers]
    return getattr(command, "workers", ())


def _any(outcome: Outcome, verdict: Verdict) -> bool:
    return bool(outcome.having(verdict) or outcome.workers_having(verdict))


def _words(answer: Answer) -> str:
    told = _VERDICTS[answer.verdict]
    return f"{told}: {_short(answer.text)}" if answer.text else told


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."


def _name(name: str) -> str:
    """Return a worker's or a queue's name as it is, and an id that looks like a UUID cut."""
    return name[:SHORT_ID_LENGTH] if len(name) == 36 and name.count("-") == 4 else name


_VERDICTS: Final[dict[Verdict, str]] = {
    "refused": "refused",
    "silent": "silent",
    "unsure": "not known whether sent",
    "unsent": "not sent",
}


def _tasks(done: str, doing: str, todo: str) -> Callable[[Any], _Phrase]:
    return lambda command: _Phrase(done, doing, todo, f"{_targets(command):,}")


def _on_workers(done: str, doing: str, todo: str, before: str = "") -> Callable[[Any], _Phrase]:
    return lambda command: _Phrase(done, doing, todo, f"{before}{_who(command.workers)}")


def _targets(command: Any) -> int:
    if isinstance(command, commands.Retry):
        return len(command.originals)
    return len(command.ids)


def _who(workers: Sequence[str]) -> str:
    return workers[0] if len(workers) == 1 else counted(len(workers), "worker")


def _revoke(command: commands.Revoke) -> _Phrase:
    words = _ENDING if command.terminate else _REVOKING
    return _Phrase(*words, f"{len(command.ids):,}")


def _stamped(command: commands.RevokeStamped) -> _Phrase:
    words = _ENDING if command.terminate else _REVOKING
    stamps = [f"{command.header}={value}" for value in command.values]
    return _Phrase(*words, f"whatever is stamped {named(stamps)}" if stamps else "stamps")


def _trigger(command: commands.Trigger) -> _Phrase:
    calls = command.calls
    what = calls[0].name if len(calls) == 1 else counted(len(calls), "task")
    return _Phrase("sent", "sending", "send", what)


def _grow(command: commands.PoolGrow) -> _Phrase:
    return _Phrase("grew", "growing", "grow", f"{_pools(command.workers)} by {command.by:,}")


def _shrink(command: commands.PoolShrink) -> _Phrase:
    of = f"{_pools(command.workers)} by {command.by:,}"
    return _Phrase("shrank", "shrinking", "shrink", of)


def _autoscale(command: commands.Autoscale) -> _Phrase:
    of = f"{_pools(command.workers)} from {command.least:,} to {command.most:,}"
    return _Phrase("autoscaled", "autoscaling", "autoscale", of)


def _rate(command: commands.RateLimit) -> _Phrase:
    if command.rate.partition("/")[0] == "0":
        return _Phrase("lifted", "lifting", "lift", f"the rate limit of {command.task}")
    return _Phrase("limited", "limiting", "limit", f"{command.task} to {command.rate}")


def _time(command: commands.TimeLimit) -> _Phrase:
    soft, hard = (
        "none" if limit is None else f"{limit:g} s" for limit in (command.soft, command.hard)
    )
    of = f"the time of {command.task}, soft {soft}, hard {hard}"
    return _Phrase("limited", "limiting", "limit", of)


def _add(command: commands.AddConsumer) -> _Phrase:
    return _Phrase("added", "adding", "add", f"consumers of {command.queue}")


def _cancel(command: commands.CancelConsumer) -> _Phrase:
    return _Phrase("cancelled", "cancelling", "cancel", f"consumers of {command.queue}")


def _purge(command: commands.Purge) -> _Phrase:
    return _Phrase("purged", "purging", "purge", _purged(command))


def _purged(command: commands.Purge) -> str:
    return f"{command.task} from {command.queue}" if command.task else command.queue


def _pools(workers: Iterable[str]) -> str:
    names = tuple(workers)
    return f"the pool of {names[0]}" if len(names) == 1 else counted(len(names), "pool")


_REVOKING: Final = ("revoked", "revoking", "revoke")
_ENDING: Final = ("terminated", "terminating", "terminate")

_PHRASES: Final[dict[type, Callable[[Any], _Phrase]]] = {
    commands.Revoke: _revoke,
    commands.RevokeStamped: _stamped,
    commands.Retry: _tasks("retried", "retrying", "retry"),
    commands.Trigger: _trigger,
    commands.PoolGrow: _grow,
    commands.PoolShrink: _shrink,
    commands.PoolRestart: lambda c: _Phrase(
        "restarted", "restarting", "restart", _pools(c.workers)
    ),
    commands.Autoscale: _autoscale,
    commands.AddConsumer: _add,
    commands.CancelConsumer: _cancel,
    commands.RateLimit: _rate,
    commands.TimeLimit: _time,
    commands.Ping: _on_workers("pinged", "pinging", "ping"),
    commands.Heartbeat: _on_workers("asked", "asking", "ask", "for a heartbeat of "),
    commands.EnableEvents: _on_workers("enabled", "enabling", "enable", "events of "),
    commands.DisableEvents: _on_workers("disabled", "disabling", "disable", "events of "),
    commands.Shutdown: _on_workers("shut down", "shutting down", "shut down"),
    commands.Drain: _on_workers("drained", "draining", "drain"),
    commands.PauseQueue: lambda c: _Phrase("paused", "pausing", "pause", c.queue),
    commands.ResumeQueue: lambda c: _Phrase("resumed", "resuming", "resume", c.queue),
    commands.Purge: _purge,
}
