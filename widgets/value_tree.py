"""Arguments and results as a tree that opens on demand; their text is not trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from ..model.text.sanitize import visible
from .compat.textual_internals import LazyComponents
from .glyphs import UNICODE, Glyphs
from .literal import read
from .table.viewport import Motion
from .wrapping import wrap

PAGE_ITEMS: Final = 200
"""Items that a node opens with; a last item counts the rest and opens the next page."""
MAX_AUTO_EXPANDED: Final = 20
"""A named value with at most this many items is expanded from the start."""
MAX_SEARCHED_NODES: Final = 5_000
"""Nodes that a search opens; the first ones from the top."""
MAX_PREVIEW: Final = 200
"""Characters of a value shown on the line of its node."""
LINE_LENGTH: Final = 120
"""Most characters per line of a long text that is opened."""
MIN_LINE_LENGTH: Final = 20
"""Characters per line even at the depth where there is no room."""
GUIDE: Final = 2
"""Cells of the guide of each level."""


@dataclass(frozen=True, slots=True)
class NodeValue:
    """The value of a node; only its items from `start` on, for a later page."""

    value: Any
    start: int = 0


class ValueTree(Tree[NodeValue], LazyComponents, inherit_bindings=False):
    """Named values, one node each."""

    DEFAULT_CSS = "ValueTree { height: auto; max-height: 1fr; background: transparent; }"

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002
        super().__init__(Text(""), id=id)
        self.show_root = False
        self.guide_depth = GUIDE
        self.ICON_NODE, self.ICON_NODE_EXPANDED = f"{glyphs.tree_closed} ", f"{glyphs.tree_open} "
        self.show_guides = glyphs.name != "ascii"
        self._shown: dict[str, str | None] = {}
        self._built_for = 0
        """The width that texts were broken for."""

    @property
    def lines(self) -> int:
        """The number of lines of what is open."""
        # Textual reads the size to count none, which has to be known first during a layout.
        return self.last_line + 1 if self.root.children else 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines; Textual's own is that of the last time they were drawn."""
        return self.lines

    def show(self, texts: Mapping[str, str | None]) -> None:
        """Show named texts, such as `{"args": "(1, 2)"}`; None means unknown."""
        if dict(texts) == self._shown:
            return
        self._shown = dict(texts)
        self._add_values()

    def on_resize(self, event: events.Resize) -> None:
        """Break texts for the new width; what is open stays open."""
        event.prevent_default()  # Textual lays the whole screen out again, even for another height
        if event.size.width == self._built_for:
            return
        opened, line = list(self._opened(self.root)), self.cursor_line
        self._add_values()
        for path in opened:
            self._open(path)
        if line > 0:  # it was moved
            self.cursor_line = line

    def _opened(
        self, node: TreeNode[NodeValue], path: tuple[int, ...] = ()
    ) -> Iterator[tuple[int, ...]]:
        """Yield the open nodes below a node by their indexes from the root on, parents first."""
        for number, child in enumerate(node.children):
            if child.is_expanded:
                yield (*path, number)
                yield from self._opened(child, (*path, number))

    def _open(self, path: tuple[int, ...]) -> None:
        """Open a node, if there still is one that can be opened."""
        node = self.root
        for number in path:
            if number >= len(node.children):
                return
            node = node.children[number]
        if node.data is not None:
            if not node.children:
                self._fill(node, node.data)
            node.expand()

    def _add_values(self) -> None:
        """Add the named texts; texts that are too long for a line are broken into lines."""
        self._built_for, texts = self.size.width, self._shown
        self.clear()
        self.root.expand()
        for name, text in texts.items():
            if text is None:
                self.root.add_leaf(_label(name, "?", "dim"))
                continue
            literal = read(text)
            if literal.known:
                few = _is_container(literal.value) and _size(literal.value) <= MAX_AUTO_EXPANDED
                self._add(self.root, name, literal.value, is_open=few)
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

    def search_lines(self) -> list[str]:
        """Return the text of each node, also of those that are not open."""
        return [str(node.label) for node in self._searched_nodes()]

    def show_match(self, line: int, start: int, end: int) -> int:
        """Open what contains a node, and move the cursor to it."""
        node = next(islice(self._searched_nodes(), line, None), None)
        if node is None:
            return 0
        above = node.parent
        while above is not None:
            above.expand()
            above = above.parent
        self.move_cursor_to_line(node.line if self.last_line >= 0 else 0)
        return max(0, node.line) - self.scroll_offset.y

    def hide_match(self) -> None:
        """Leave the cursor at the match."""

    def _searched_nodes(self) -> Iterator[TreeNode[NodeValue]]:
        """Yield the first nodes from the top down, and add those that were not opened yet."""
        waiting = list(reversed(self.root.children))
        for _ in range(MAX_SEARCHED_NODES):
            if not waiting:
                return
            node = waiting.pop()
            yield node
            if node.data is not None and not node.children:
                self._fill(node, node.data)
            waiting += reversed(node.children)

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[NodeValue]) -> None:
        """Add the items of a node when it is first opened."""
        node = event.node
        if node.data is None or node.children:
            return
        self._fill(node, node.data)

    def _fill(self, node: TreeNode[NodeValue], part: NodeValue) -> None:
        value = part.value
        # The scrollbar appears when the lines are too many.
        room = max(MIN_LINE_LENGTH, self._room(node) - self.styles.scrollbar_size_vertical)
        if isinstance(value, str) and len(value) <= MAX_PREVIEW:
            text = visible(value)
            for start, end in wrap(text, room):
                node.add_leaf(Text(text[start:end], no_wrap=True))
            return
        if isinstance(value, str):
            length = min(LINE_LENGTH, room)
            starts = range(part.start, len(value), length)
            for at in islice(starts, PAGE_ITEMS):
                node.add_leaf(Text(visible(value[at : at + length]), no_wrap=True))
            left = len(starts) - PAGE_ITEMS
            following = part.start + PAGE_ITEMS * length
        else:
            for name, item in islice(_items(value), part.start, part.start + PAGE_ITEMS):
                self._add(node, name, item)
            left = _size(value) - part.start - PAGE_ITEMS
            following = part.start + PAGE_ITEMS
        if left > 0:
            node.add(Text(f"{left:,} more", style="dim"), NodeValue(value, following))

    def _add(
        self, parent: TreeNode[NodeValue], name: str, value: Any, *, is_open: bool = False
    ) -> None:
        if isinstance(value, str):
            self._add_text(parent, name, value, quoted=True)
        elif _size(value) == 0 or not _is_container(value):
            parent.add_leaf(_label(name, visible(_repr(value), MAX_PREVIEW), ""))
        elif is_open:
            self._add_open(parent, _label(name, _summary(value), "dim"), NodeValue(value))
        else:
            parent.add(_label(name, _summary(value), "dim"), NodeValue(value))

    def _add_open(self, parent: TreeNode[NodeValue], label: Text, part: NodeValue) -> None:
        """Add a node with its items: to expand it would only add them with a later message."""
        self._fill(parent.add(label, part, expand=True), part)

    def _add_text(
        self, parent: TreeNode[NodeValue], name: str, text: str, quoted: bool = False
    ) -> None:
        style, room = "green" if quoted else "", self._room(parent)
        shown = visible(text, MAX_PREVIEW)
        leaf = _label(name, f'"{shown}"' if quoted else shown, style)
        if len(text) <= MAX_PREVIEW and leaf.cell_len <= room:
            parent.add_leaf(leaf)
            return
        count = f"{len(text):,} characters"
        if len(text) <= MAX_PREVIEW and parent is self.root:
            self._add_open(parent, _label(name, count, "dim"), NodeValue(text))
            return
        left = max(MIN_LINE_LENGTH, room - cell_len(name) - len(count) - GUIDE * 4)
        shown = visible(text, min(MAX_PREVIEW, left))
        label = _label(name, f"{count}  " + (f'"{shown}"' if quoted else shown), style)
        parent.add(label, NodeValue(text))

    def _room(self, parent: TreeNode[NodeValue]) -> int:
        """Return the cells of the label of a node below `parent`."""
        depth, above = 1, parent
        while above.parent is not None:
            depth, above = depth + 1, above.parent
        return (self._built_for or MAX_PREVIEW) - GUIDE * depth


def _label(name: str, value: str, style: str) -> Text:
    return Text.assemble((visible(name, MAX_PREVIEW), "bold"), "  ", (value, style), no_wrap=True)


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence | Set) and not isinstance(value, str | bytes)


def _size(value: Any) -> int:
    return len(value) if _is_container(value) else 1


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return ((str(key), item) for key, item in value.items())
    return ((str(number), item) for number, item in enumerate(value))


def _repr(value: Any) -> str:
    return repr(value[:MAX_PREVIEW]) if isinstance(value, bytes) else repr(value)


def _summary(value: Any) -> str:
    """Return the type of a container and its number of items."""
    names: dict[type, str] = {dict: "object", list: "list", tuple: "tuple"}
    kind = names.get(type(value), type(value).__name__)
    return f"{kind} of {len(value):,}"
