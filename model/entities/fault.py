"""A failure and the advice that goes with it."""

from __future__ import annotations

from typing import Final

import msgspec

CONFIGURATION: Final = frozenset({"url", "option", "transport", "driver"})
"""Kinds of faults that only a change of the settings or the installation can end."""


class Fault(msgspec.Struct, frozen=True, gc=False):
    """A failure: what is wrong and what to do about it."""

    kind: str
    """`refused`, `dns`, `timeout`, `auth`, `database`, `vhost`, `tls`, `transport`, `acl`, ..."""
    problem: str
    advice: str

    def __str__(self) -> str:
        return f"{self.problem}. {self.advice}" if self.advice else self.problem

    @property
    def is_configuration(self) -> bool:
        """Whether the settings or the installation are at fault, so that retrying cannot help."""
        return self.kind in CONFIGURATION


NO_REPLY: Final = Fault("no-reply", "no reply", "")
"""A worker that could be asked has not replied in time."""

SILENT_WORKER: Final = "silent-worker"
UNREADABLE: Final = "serializer"
"""Kinds of faults of discovery: there are workers besides those that are known."""
