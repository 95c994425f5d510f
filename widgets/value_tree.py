"""Arguments and results as a tree that opens on demand; whatever is in them is only text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from rich.text import Text
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from ..model.text.sanitize import visible
from .glyphs import UNICODE, Glyphs
from .literal import read
from .table.viewport import Motion

FEW: Final = 200
"""Items that a node opens with; a last one tells how many more there are and brings as many."""
OPEN_UP_TO: Final = 20
"""Items of a named value that is open from the start."""
PREVIEW: Final = 200
"""Characters of a value that are shown on its own line."""
PIECE: Final = 120
"""Characters a line, of a long text that is opened."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a node stands for: a value, or the items of one from `start` on."""

    value: Any
    start: int = 0


class ValueTree(Tree[Part], inherit_bindings=False):
    """Named values, each a node."""

    DEFAULT_CSS = """
    ValueTree { height: auto; max-height: 1fr; background: transparent; }
    """

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(Text(""), id=id, classes=classes)
        self.show_root = False
        self.guide_depth = 2
        self.ICON_NODE, self.ICON_NODE_EXPANDED = f"{glyphs.tree_closed} ", f"{glyphs.tree_open} "
        self.show_guides = glyphs.name != "ascii"
        self._shown: dict[str, str | None] = {}

    def show(self, texts: Mapping[str, str | None]) -> None:
        """Show named texts, such as `{"args": "(1, 2)"}`; None is not known."""
        if dict(texts) == self._shown:
            return
        self._shown = dict(texts)
        self.clear()
        self.root.expand()
        for name, text in texts.items():
            if text is None:
                self.root.add_leaf(_label(name, "?", "dim"))
                continue
            literal = read(text)
            if literal.known:
                node = self._add(self.root, name, literal.value)
                if _opens(literal.value) and _size(literal.value) <= OPEN_UP_TO:
                    node.expand()
            else:
                self._add_text(self.root, name, text)

    def action_move(self, motion: Motion) -> None:
        """Move the cursor: `down`, `page_up`, `bottom`, ..."""
        moves = {
            "down": self.action_cursor_down,
            "up": self.action_cursor_up,
            "page_down": self.action_page_down,
            "page_up": self.action_page_up,
            "half_down": self.action_page_down,
            "half_up": self.action_page_up,
            "top": self.action_scroll_home,
            "bottom": self.action_scroll_end,
        }
        moves[motion]()

    def action_open(self) -> None:
        """Open or close the node under the cursor."""
        self.action_toggle_node()

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Part]) -> None:
        """Make the items of a node when they are first wanted."""
        node = event.node
        if node.data is None or node.children:
            return
        self._fill(node, node.data)

    def _fill(self, node: TreeNode[Part], part: Part) -> None:
        value = part.value
        if isinstance(value, str):
            pieces = range(part.start, len(value), PIECE)
            for at in islice(pieces, FEW):
                node.add_leaf(Text(visible(value[at : at + PIECE]), no_wrap=True))
            left = len(pieces) - FEW
            following = part.start + FEW * PIECE
        else:
            for name, item in islice(_items(value), part.start, part.start + FEW):
                self._add(node, name, item)
            left = _size(value) - part.start - FEW
            following = part.start + FEW
        if left > 0:
            node.add(Text(f"{left:,} more", style="dim"), Part(value, following))

    def _add(self, parent: TreeNode[Part], name: str, value: Any) -> TreeNode[Part]:
        if isinstance(value, str):
            return self._add_text(parent, name, value, quoted=True)
        if _size(value) == 0 or not _opens(value):
            return parent.add_leaf(_label(name, visible(_repr(value), PREVIEW), ""))
        return parent.add(_label(name, _summary(value), "dim"), Part(value))

    def _add_text(
        self, parent: TreeNode[Part], name: str, text: str, quoted: bool = False
    ) -> TreeNode[Part]:
        shown = visible(text, PREVIEW)
        shown = f'"{shown}"' if quoted else shown
        if len(text) <= PREVIEW:
            return parent.add_leaf(_label(name, shown, "green" if quoted else ""))
        label = _label(name, f"{len(text):,} characters  {shown}", "green" if quoted else "")
        return parent.add(label, Part(text))


def _label(name: str, value: str, style: str) -> Text:
    return Text.assemble((visible(name, PREVIEW), "bold"), "  ", (value, style), no_wrap=True)


def _opens(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence | Set) and not isinstance(value, str | bytes)


def _size(value: Any) -> int:
    return len(value) if _opens(value) else 1


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return ((str(key), item) for key, item in value.items())
    return ((str(number), item) for number, item in enumerate(value))


def _repr(value: Any) -> str:
    return repr(value[:PREVIEW]) if isinstance(value, bytes) else repr(value)


def _summary(value: Any) -> str:
    """Say what a container is and how much is in it."""
    names: dict[type, str] = {dict: "object", list: "list", tuple: "tuple"}
    kind = names.get(type(value), type(value).__name__)
    return f"{kind} of {len(value):,}"
