"""The one door: everything that changes the cluster goes through here.

Each act runs in a thread of its own over a connection of its own, so that one that waits (a worker
that drains, a broker that hangs) holds up neither the screen nor the next act. Nothing is ever sent
twice: what failed is told, and a person decides.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Final

import msgspec

from ..model.observations import LogMessage, OperationChanged
from ..model.operations.call import SentTask
from ..model.operations.commands import Operation
from ..model.operations.outcome import Answer, Outcome
from .connection.broker import BrokerConnection
from .connection.errors import explain
from .events.roster import Roster
from .inbox import Inbox
from .operations.audit import Audit, Phase
from .operations.completion import completed
from .operations.registry import OPERATIONS, Perform
from .operations.running import OperationContext, Refused, Unsure

READ_ONLY: Final = "read-only: nothing was sent. `:rw` on the screen lifts it, or --no-read-only"


class RunningOperation:
    """An act under way, or done. Safe to look at from any thread."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        """As far as it has come; replaced whole."""
        self.future: Future[Outcome] = Future()
        """Resolves with the outcome when it has ended; it never fails and is never cancelled."""
        self.doing: OperationContext | None = None

    def cancel(self) -> None:
        """Take it back, as far as that is still possible; what was sent stays sent."""
        if self.doing is not None:
            self.doing.cancelled.set()


class Control:
    """Carries out acts, if policy lets it.

    Args:
        broker: Whom to talk to.
        inbox: Where outcomes are left for the model.
        roster: Who is there.
        audit: The file of everything that was ever done.
        clock: Our clock, in epoch seconds.
        read_only: Whether every act is refused, to begin with.
        performers: What carries out each kind of command.
    """

    def __init__(
        self,
        broker: BrokerConnection,
        inbox: Inbox,
        roster: Roster,
        audit: Audit,
        clock: Callable[[], float] = time.time,
        read_only: bool = False,
        performers: Mapping[type[Operation], Perform] = OPERATIONS,
    ) -> None:
        self.read_only = read_only
        """Whether every act is refused; may be changed at any time."""
        self._broker = broker
        self._inbox = inbox
        self._roster = roster
        self._audit = audit
        self._performers = performers
        self._clock = clock
        self._serials = itertools.count(1)
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, RunningOperation] = {}
        self._stopped = False

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The acts under way."""
        return tuple(thread for thread in self._threads.copy() if thread.is_alive())

    def has_links(self, original: SentTask) -> bool:
        """Return whether callbacks or the rest of a chain were to follow a task, or may have been.

        Of what no message is left of, nothing can go along.
        """
        from .operations.links import has_links

        return original.message is not None and has_links(original.message)

    def do(self, command: Operation) -> RunningOperation:
        """Begin an act, or refuse it; returns at once. The caller has asked the user."""
        act = RunningOperation(Outcome(next(self._serials), command, self._clock()))

        def told(outcome: Outcome) -> None:
            act.outcome = outcome
            self._inbox.put(OperationChanged(outcome, self._clock()))

        doing = act.doing = OperationContext(
            act.outcome, self._broker, self._inbox, self._roster, self._clock, told
        )
        # What was forbidden when it was asked for stays so, even if that is lifted a moment later.
        thread = threading.Thread(
            target=self._run,
            args=(act, doing, self.read_only),
            name=f"celtop-act-{act.outcome.number}",
            daemon=True,
        )
        # An act of which `stop` knows nothing must not begin: looked at and noted in one go.
        with self._lock:
            self._threads = {one: its for one, its in self._threads.items() if one.is_alive()}
            self._threads[thread] = act
            if self._stopped:
                act.cancel()
            thread.start()
        return act

    def stop(self) -> None:
        """Have all acts end where nothing is half done; further ones are refused."""
        with self._lock:
            self._stopped = True
            acts = list(self._threads.values())
        for act in acts:
            act.cancel()

    def leave(self) -> None:
        """Write down the acts that did not end; for when nobody waits for them any more."""
        for act in self._threads.copy().values():
            if not act.future.done():
                self._audit.write("left", act.outcome, self._clock())

    def _run(self, act: RunningOperation, doing: OperationContext, forbidden: bool) -> None:
        try:
            self._log("begun", doing)
            doing.tell()
            answer, unsure = self._perform(doing, forbidden)
            self._conclude(doing, answer, unsure)
        finally:
            act.future.set_result(doing.outcome)
        if doing.afterwards is not None:
            # Nothing depends on it: what it would have shown, the next round of questions does.
            with contextlib.suppress(Exception):
                doing.afterwards()

    def _perform(
        self, doing: OperationContext, forbidden: bool
    ) -> tuple[Answer, tuple[str, ...] | None]:
        """Carry an act out, unless forbidden; return the verdict of all that were not reached.

        With it comes of whom nobody knows whether they were; None is all of them.
        """
        if self._stopped:
            doing.tell(refusal="celtop is ending: nothing was sent")
        elif forbidden or self.read_only:
            doing.tell(refusal=READ_ONLY)
        else:
            try:
                self._performers[type(doing.outcome.operation)](doing)
            except Refused as error:
                doing.tell(refusal=str(error))
            except Unsure as error:
                doing.tell(fault=explain(error.__cause__ or error, self._broker))
                return Answer("unsent"), error.targets or None
            except Exception as error:
                doing.tell(fault=explain(error, self._broker))
            else:
                taken_back = doing.cancelled.is_set()
                return Answer("unsent", "taken back before it was sent" if taken_back else ""), ()
        return Answer("unsent"), ()

    def _conclude(
        self, doing: OperationContext, answer: Answer, unsure: tuple[str, ...] | None
    ) -> None:
        """See that every worker and every target has a verdict, write it down, and tell."""
        if unsure is None:
            answer, unsure = Answer("unsure"), ()
        ended = msgspec.structs.replace(
            completed(doing.outcome, answer, unsure), ended_at=self._clock(), stage=""
        )
        unlogged = self._log("ended", doing, ended) or doing.outcome.unlogged
        doing.tell(
            workers=ended.workers,
            targets=ended.targets,
            ended_at=ended.ended_at,
            stage="",
            unlogged=unlogged,
        )

    def _log(
        self, phase: Phase, doing: OperationContext, outcome: Outcome | None = None
    ) -> str | None:
        """Write an act down; if that is impossible it goes on, and the log tells."""
        why = self._audit.write(phase, outcome or doing.outcome, self._clock())
        if why is not None and doing.outcome.unlogged is None:
            doing.outcome = msgspec.structs.replace(doing.outcome, unlogged=why)
            text = f"An act is not in the audit file: {why}"
            self._inbox.put(LogMessage("error", "audit", text, self._clock()))
        return why
