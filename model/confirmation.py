"""What a person is asked before an act: the same words in the dialog and on the command line."""

from __future__ import annotations

from typing import Final

import msgspec

TYPED_FROM: Final = 20
"""Beyond so many targets, their count is to be typed."""
NAMED: Final = 5
"""Targets that are named; the rest are counted."""


class Confirmation(msgspec.Struct, frozen=True, gc=False):
    """An act in words, before it is done."""

    verb: str
    """What the button says: `Revoke`, `Terminate`, `Purge`."""
    title: str
    """The verb with what it is about: `Revoke 12 tasks`."""
    targets: tuple[str, ...]
    """The first few, one to a line, then `and 7 more`; hostile text."""
    will: tuple[str, ...] = ()
    """What is going to happen, a sentence each."""
    will_not: tuple[str, ...] = ()
    """What is not, though one might think so; what cannot be undone."""
    answering: tuple[str, ...] = ()
    """The workers that are to answer."""
    typed: str | None = None
    """What has to be typed before it is done: a word, the count, the queue's name; None is `y`."""
    grave: bool = False
    """Whether work or data is lost: the dialog is red."""
    refusal: str | None = None
    """Why it makes no sense, and is not offered at all."""
