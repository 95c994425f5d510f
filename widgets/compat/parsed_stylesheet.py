"""Style sheets that are parsed once: Textual parses all of them again for each new screen.

It uses private attributes of `Stylesheet` and `DOMNode`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.dom import DOMNode
    from textual.widget import Widget

MAX_SOURCES: Final = 1_000
"""Sources whose rules are kept. Textual keeps those of 64, fewer than the app has with all pages
open: it would find none of them again."""


class ParsedStylesheet(Stylesheet):
    """A stylesheet that parses each source once, until the variables of the theme change."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(MAX_SOURCES)
        self._component_rules: dict[object, RulesMap] = {}

    def set_variables(self, variables: dict[str, str]) -> None:
        """Set the variables; with other ones, all sources are parsed again."""
        if variables != self._variables:
            super().set_variables(variables)

    def parse(self) -> None:
        """Parse the sources that are new."""
        super().parse()
        self._component_rules.clear()

    def apply_to_component(self, node: DOMNode, widget: Widget) -> None:
        """Style a component class of a widget as that of another widget with the same state.

        Only the style sheet of the widget's own class may have rules for its component classes.
        """
        state = type(widget), widget.classes, widget._pseudo_classes_cache_key, node.classes
        rules = self._component_rules.get(state)
        if rules is None:
            self.apply(node)
            self._component_rules[state] = node.styles.base.get_rules()
        else:
            self.replace_rules(node, rules)

    def reparse(self) -> None:
        """Parse the sources that are new, or all if the variables are."""
        self.parse()
