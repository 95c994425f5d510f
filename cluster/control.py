"""The only way to change the cluster: carries out operations if the policy allows them.

Each operation runs in its own thread over its own connection, so that one that waits (a draining
worker, a broker that does not respond) delays neither the screen nor the next operation. Nothing is
ever sent twice: failures are reported, and the user decides.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeAlias

import msgspec

from ..model.observations import OperationChanged
from ..model.operations.call import SentTask
from ..model.operations.commands import Operation
from ..model.operations.outcome import Answer, KnownTargets, Outcome
from .connection.broker import BrokerConnection
from .connection.faults.errors import explain
from .events.roster import Roster
from .inbox import Inbox
from .operations.audit import Audit, Phase
from .operations.completion import completed
from .operations.running import OperationContext, Refused, SwitchSchedule, Unsure
from .results.backends.base import ResultReader

Perform: TypeAlias = Callable[[Any, OperationContext], object]
"""Carries out an operation and reports its outcome; any exception ends it."""

READ_ONLY: Final = "read-only mode; enter :rw in the monitor, or start celtop with --no-read-only"
NO_AUDIT: Final = (
    "make the audit file writable, name another one with audit_file, or set audit_required to false"
)


class RunningOperation:
    """An operation that is running or has ended. Safe to read from any thread."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        """The outcome so far; replaced whole."""
        self.future: Future[Outcome] = Future()
        """Resolves with the final outcome; it never fails and is never cancelled."""
        self.context: OperationContext | None = None

    def cancel(self) -> None:
        """Cancel it if that is still possible; nothing that was sent is undone."""
        if self.context is not None:
            self.context.cancelled.set()


class Control:
    """Carries out operations if the policy allows them."""

    def __init__(
        self,
        broker: BrokerConnection,
        inbox: Inbox,
        roster: Roster,
        audit: Audit,
        read_only: bool = False,
        audit_required: bool = True,
        perform: Perform | None = None,
        results: Callable[[], ResultReader] | None = None,
        redact: Callable[[str], str] = str,
        switch_entries: SwitchSchedule | None = None,
    ) -> None:
        self.read_only = read_only
        """Whether all changes are refused; may be set at any time."""
        self._broker = broker
        self._inbox = inbox
        self._roster = roster
        self._audit = audit
        self._audit_required = audit_required
        self._perform = perform
        self._results = results
        self._switch_entries = switch_entries
        self._redact = redact
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, RunningOperation] = {}
        self._stopped = False

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The threads of running operations."""
        return tuple(thread for thread in self._threads.copy() if thread.is_alive())

    def has_links(self, original: SentTask) -> bool:
        """Return whether a task has, or may have, callbacks or the rest of a chain to send."""
        from .operations.tasks.links import has_links

        return original.message is not None and has_links(original.message)

    def do(
        self,
        operation: Operation,
        known_targets: KnownTargets = KnownTargets(),  # noqa: B008  (frozen)
        inverse: tuple[Operation, ...] = (),
    ) -> RunningOperation:
        """Start an operation, or refuse it; returns at once. The caller has confirmed it.

        Args:
            operation: The operation.
            known_targets: What the model has about its tasks by now.
            inverse: The operations that undo it.
        """
        running = RunningOperation(
            Outcome(next(self._numbers), operation, time.time(), inverse=inverse)
        )

        def on_change(outcome: Outcome) -> None:
            running.outcome = outcome
            self._inbox.put(OperationChanged(outcome, time.time()))

        context = running.context = OperationContext(
            running.outcome,
            self._broker,
            self._inbox,
            self._roster,
            on_change,
            known_targets,
            self._results,
            self._redact,
            self._switch_entries,
        )
        # What is forbidden now stays forbidden, even if read-only mode ends a moment later.
        thread = threading.Thread(
            target=self._run,
            args=(running, context, self.read_only),
            name=f"celtop-operation-{running.outcome.number}",
            daemon=True,
        )
        # Checking and adding in one step: `stop` must know every operation that starts.
        with self._lock:
            self._threads = {one: its for one, its in self._threads.items() if one.is_alive()}
            self._threads[thread] = running
            if self._stopped:
                running.cancel()
            thread.start()
        return running

    def stop(self) -> None:
        """Cancel all operations where nothing is half done, and refuse further ones."""
        with self._lock:
            self._stopped = True
            operations = list(self._threads.values())
        for running in operations:
            running.cancel()

    def leave(self) -> None:
        """Write the operations that have not ended to the audit file, when celtop exits."""
        for running in self._threads.copy().values():
            if not running.future.done():
                self._audit.write("left", running.outcome, time.time())

    def _run(self, running: RunningOperation, context: OperationContext, forbidden: bool) -> None:
        try:
            self._write_audit("begun", context)
            context.report()
            answer, unsure = self._carry_out(context, forbidden)
            self._conclude(context, answer, unsure)
        finally:
            running.future.set_result(context.outcome)
        if context.afterwards is not None:
            # Optional: the next inspection shows the same.
            with contextlib.suppress(Exception):
                context.afterwards()

    def _carry_out(
        self, context: OperationContext, forbidden: bool
    ) -> tuple[Answer, tuple[str, ...] | None]:
        """Carry an operation out, unless it is forbidden.

        Returns:
            The verdict on everything that was not reached, and the names that may or may not have
            been reached; None is all of them.
        """
        operation = context.outcome.operation
        if self._stopped:
            context.report(refusal="celtop is exiting")
        elif (forbidden or self.read_only) and not operation.read_only:
            context.report(refusal=READ_ONLY)
        elif context.outcome.unlogged and self._audit_required and not operation.read_only:
            context.report(
                refusal=f"it cannot be recorded ({context.outcome.unlogged}); {NO_AUDIT}"
            )
        else:
            try:
                if self._perform is None:
                    from .operations.registry import perform

                    self._perform = perform
                self._perform(operation, context)
            except Refused as error:
                context.report(refusal=str(error))
            except Unsure as error:
                context.report(fault=explain(error.__cause__ or error, self._broker))
                return Answer("unsent"), error.targets or None
            except Exception as error:
                context.report(fault=explain(error, self._broker))
            else:
                cancelled = context.cancelled.is_set()
                return Answer("unsent", "cancelled before it was sent" if cancelled else ""), ()
        return Answer("unsent"), ()

    def _conclude(
        self, context: OperationContext, answer: Answer, unsure: tuple[str, ...] | None
    ) -> None:
        """Complete the outcome, write it to the audit file, and report it."""
        if unsure is None:
            answer, unsure = Answer("unsure"), ()
        ended = msgspec.structs.replace(
            completed(context.outcome, answer, unsure), ended_at=time.time(), stage=""
        )
        unlogged = self._write_audit("ended", context, ended) or context.outcome.unlogged
        context.report(
            workers=ended.workers,
            targets=ended.targets,
            ended_at=ended.ended_at,
            stage="",
            unlogged=unlogged,
        )

    def _write_audit(
        self, phase: Phase, context: OperationContext, outcome: Outcome | None = None
    ) -> str | None:
        """Write to the audit file; a failure is logged and returned."""
        error = self._audit.write(phase, outcome or context.outcome, time.time())
        for remark in self._audit.take_remarks():
            self._inbox.log("warning", "audit", remark)
        if error is not None and context.outcome.unlogged is None:
            context.outcome = msgspec.structs.replace(context.outcome, unlogged=error)
            self._inbox.log("error", "audit", f"Cannot write to the audit file: {error}")
        return error
