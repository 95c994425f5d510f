"""Style sheets that are parsed once: Textual parses all of them again for each new screen."""

from __future__ import annotations

from typing import Final

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

MAX_SOURCES: Final = 1_000
"""Sources whose rules are kept. Textual keeps those of 64, fewer than the app has with all pages
open: it would find none of them again."""


class ParsedStylesheet(Stylesheet):
    """A stylesheet that parses each source once, until the variables of the theme change."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(MAX_SOURCES)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Set the variables; with other ones, all sources are parsed again."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse the sources that are new, or all if the variables are."""
        self.parse()
