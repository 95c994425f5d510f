"""What read-only mode refuses."""

from __future__ import annotations

from typing import Final

READ_ONLY: Final = "read-only: :rw lifts it"


READING: Final = frozenset({"queue.look"})
"""What only looks: allowed in read-only."""
