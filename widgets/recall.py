"""Steps through earlier texts in an input."""

from __future__ import annotations

from collections.abc import Sequence


class Recall:
    """The earlier texts that begin with the typed one, and the one that is shown."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._at = 0

    def step(self, by: int, text: str, earlier: Sequence[str]) -> str | None:
        """Return the older (-1) or newer (1) text; None if there is none.

        Args:
            by: The step.
            text: The text in the input.
            earlier: The earlier texts, the newest last.
        """
        if not self._found or text != self._found[self._at]:
            # It was edited: its characters are what older texts have to begin with.
            older = (one for one in earlier if one.startswith(text) and one != text)
            self._found = [*older, text]
            self._at = len(self._found) - 1
        if not 0 <= self._at + by < len(self._found):
            return None
        self._at += by
        return self._found[self._at]
