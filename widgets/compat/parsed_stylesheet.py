"""Style sheets that are parsed once, and widgets that are styled like earlier ones.

Textual parses all style sheets again for each new screen, and looks up all rules for each widget.
It uses private attributes of `Stylesheet` and `DOMNode`. Tested with Textual 8.2.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.dom import DOMNode
    from textual.widget import Widget

MAX_SOURCES: Final = 1_000
"""Sources whose rules are kept. Textual keeps those of 64, fewer than the app has with all pages
open: it would find none of them again."""
MAX_STYLED: Final = 2_000
"""Kinds of widgets, by all that selectors can match, whose styles are kept."""
_FLAGS: Final = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")
"""What `Stylesheet.apply` notes on a widget: the states after which it is to be styled again."""

_PSEUDO_CLASSES_OF_APP: Final = frozenset({"ansi", "dark", "inline", "light", "nocolor"})
"""Those that all widgets have, or none; they change with the theme at most."""


@dataclass(frozen=True, slots=True)
class _Styled:
    """How a widget was styled."""

    rules: RulesMap
    flags: tuple[bool, ...]


class ParsedStylesheet(Stylesheet):
    """A stylesheet that parses each source once, until the variables of the theme change."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(MAX_SOURCES)
        self.known_widgets: set[type] = set()
        """The classes of widgets whose default style sheets are among the sources."""
        self._component_rules: dict[object, RulesMap] = {}
        self._styled: LRUCache[object, _Styled] = LRUCache(MAX_STYLED)
        self._pseudo_classes: frozenset[str] = frozenset()
        """Those that any selector names, and that a widget can have."""

    def set_variables(self, variables: dict[str, str]) -> None:
        """Set the variables; with other ones, all sources are parsed again."""
        if variables != self._variables:
            super().set_variables(variables)

    def parse(self) -> None:
        """Parse the sources that are new."""
        super().parse()
        self._component_rules.clear()
        self._styled.clear()
        named = frozenset[str]().union(*(rule.pseudo_classes for rule in self._rules))
        self._pseudo_classes = named - _PSEUDO_CLASSES_OF_APP

    def apply(self, node: DOMNode, *, animate: bool = False, cache: Any = None) -> None:
        """Style a node as the one before that every selector matches alike."""
        if self._require_parse:
            self.parse()  # Textual would look up the rules that it had before
        styles = node.styles.base
        is_new = not (node._is_mounted or styles._rules)
        state = tuple(map(self._state, node.css_path_nodes))
        styled = self._styled.get(state)
        if styled is None:
            super().apply(node, animate=animate, cache=cache)
            rules = styles.get_rules()
            if "transitions" not in rules:  # otherwise they may only begin to change
                flags = tuple(getattr(node, flag) for flag in _FLAGS)
                self._styled[state] = _Styled(rules, flags)
            return
        for flag, value in zip(_FLAGS, styled.flags, strict=True):
            setattr(node, flag, value)
        if is_new:
            # Setting them one by one would check and convert each of them again.
            styles.merge_rules(styled.rules)
            node._nodes.updated()
            node.notify_style_update()
        else:
            self.replace_rules(node, styled.rules, animate=animate)
        self._process_component_classes(node)

    def _state(self, node: DOMNode) -> object:
        """Return all that selectors can match."""
        active = tuple(name for name in self._pseudo_classes if node.has_pseudo_class(name))
        return type(node), node.id, node.classes, active

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
            node.styles.base.merge_rules(rules)

    def reparse(self) -> None:
        """Parse the sources that are new, or all if the variables are."""
        self.parse()
