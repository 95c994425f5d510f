"""A failure in words."""

from __future__ import annotations

import msgspec


class Fault(msgspec.Struct, frozen=True, gc=False):
    """A failure in words: what is wrong and what to do about it."""

    kind: str
    """`refused`, `dns`, `timeout`, `auth`, `database`, `vhost`, `tls`, `transport`, `acl`, ..."""
    problem: str
    advice: str

    def __str__(self) -> str:
        return f"{self.problem}. {self.advice}" if self.advice else self.problem
