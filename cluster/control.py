"""The one door: everything that changes the cluster goes through here.

Each act runs in a thread of its own over a connection of its own, so that one that waits (a worker
that drains, a broker that hangs) holds up neither the screen nor the next act. Nothing is ever sent
twice: what failed is told, and a person decides.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Final

from ..model.command import AnyCommand
from ..model.observations import ActChanged
from ..model.outcome import Outcome
from .acts.doing import Doing
from .audit import Audit
from .connection import Broker
from .inbox import Inbox
from .roster import Roster

Perform = Callable[[Doing], None]
"""Carries out an act, and tells its outcome by `Doing.tell`; whatever it raises ends it."""

READ_ONLY: Final = "read-only: nothing was sent. `:rw` on the screen lifts it, or --no-read-only"


class Act:
    """An act under way, or done. Safe to look at from any thread."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        """As far as it has come; replaced whole."""
        self.future: Future[Outcome] = Future()
        """Resolves with the outcome when it has ended; it never fails and is never cancelled."""
        self.doing: Doing | None = None

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
        performers: What carries out each kind of command.
        clock: Our clock, in epoch seconds.
        read_only: Whether every act is refused, to begin with.
    """

    def __init__(
        self,
        broker: Broker,
        inbox: Inbox,
        roster: Roster,
        audit: Audit,
        performers: Mapping[type[AnyCommand], Perform],
        clock: Callable[[], float] = time.time,
        read_only: bool = False,
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
        self._threads: dict[threading.Thread, Act] = {}

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The acts under way."""
        return tuple(thread for thread in self._threads.copy() if thread.is_alive())

    def do(self, command: AnyCommand) -> Act:
        """Begin an act, or refuse it; returns at once. The caller has asked the user."""
        act = Act(Outcome(next(self._serials), command, self._clock()))

        def told(outcome: Outcome) -> None:
            act.outcome = outcome
            self._inbox.put(ActChanged(outcome, self._clock()))

        doing = act.doing = Doing(
            act.outcome, self._broker, self._inbox, self._roster, self._clock, told
        )
        thread = threading.Thread(
            target=self._run, args=(act, doing), name=f"celtop-act-{act.outcome.act}", daemon=True
        )
        self._threads = {one: its for one, its in self._threads.items() if one.is_alive()}
        self._threads[thread] = act
        thread.start()
        return act

    def stop(self) -> None:
        """Have all acts end where nothing is half done."""
        for act in self._threads.copy().values():
            act.cancel()

    def _run(self, act: Act, doing: Doing) -> None:
        raise NotImplementedError
