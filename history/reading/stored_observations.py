"""The latest observations of workers and queues, from the rows of a collector's history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...model.observations import Observation
from ...model.records.record import InvalidRecord, decode_record
from ..rows import StoredObservation

VERSIONS: Final = "versions"
WORKERS: Final = "workers"
"""Subjects: what the workers run, and their last signs of life."""


def observations_of(row: StoredObservation) -> Iterator[Observation]:
    """Yield the observations of a row; those that another version has written are left out."""
    for line in row.body.splitlines():
        try:
            observation = decode_record(line.encode()).observation
        except InvalidRecord:
            continue
        if observation is not None:
            yield observation
