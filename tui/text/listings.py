"""The messages of a queue that were read, in words."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ...model.ingest.queues.queue_peeks import Listing
from ...model.text import units
from ...model.text.phrases import counted
from ...model.text.sanitize import visible

MAX_NAMES: Final = 5
"""Task names that are counted one by one."""
MAX_NAME: Final = 40
"""Characters of a task name."""


def task_counts(listing: Listing) -> str:
    """Return the most frequent task names, such as `mail.send 410, geo.tile 88, 3 more names`."""
    counts = Counter(message.name for message in listing.messages)
    names = counts.most_common(MAX_NAMES)
    shown = [f"{visible(name, MAX_NAME)} {number:,}" for name, number in names]
    if more := len(counts) - len(names):
        shown.append(counted(more, "more name"))
    return ", ".join(shown)


def listing_text(listing: Listing, now: float) -> str:
    """Return what was read, such as `mail.send 150, geo.tile 50 (the next 200, 4 s ago)`."""
    part = "all" if listing.complete else f"the next {len(listing.messages):,}"
    return f"{task_counts(listing)} ({part}, {units.elapsed(listing.at, now)} ago)"
