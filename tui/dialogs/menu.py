"""A menu of choices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from time import monotonic
from typing import Final

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ...model.text.sanitize import visible
from .searched import SearchedDialog

REREAD_SECONDS: Final = 1.0
"""Seconds after which an open menu reads its items again."""
_MAX_HINT: Final = 200
"""Characters of a hint."""
_INDENT: Final = 6
"""Cells before a hint that has lines of its own."""
_SCROLLBAR_WIDTH: Final = 2
_FRAME_WIDTH: Final = 4
"""Cells of the frame and its corner on each side of the title."""


@dataclass(frozen=True, slots=True)
class MenuContent:
    """What a menu shows."""

    title: str
    choices: Sequence[tuple[str, str, str]]
    """Id, label and hint of each item; the hint may be text from the cluster."""
    disabled: Collection[str] = ()
    """Ids of items that cannot be chosen."""


class Menu(SearchedDialog):
    """Returns the id of the chosen item.

    Args:
        title: The title of the frame.
        choices: Id, label and hint of each item; the hint may be text from the cluster.
        chosen: The id that the cursor starts on.
        disabled: Ids of items that cannot be chosen.
        present: Reads title, items and the disabled ones again, once a second; the items stay.
        keys: The keys that choose items directly, by id.
        preview: Shows what choosing an item does, while the cursor is on it.
    """

    def __init__(
        self,
        title: str,
        choices: Sequence[tuple[str, str, str]],
        chosen: str | None = None,
        disabled: Collection[str] = (),
        keys: Mapping[str, str] | None = None,
        preview: Callable[[str], None] | None = None,
        present: Callable[[], MenuContent] | None = None,
    ) -> None:
        super().__init__(title)
        self._present = present
        self._due = monotonic() + REREAD_SECONDS
        self.keys = {key: choice for choice, key in (keys or {}).items()}
        self.disabled_ids = frozenset(disabled)
        self.choices = tuple(choices)
        self.chosen = chosen
        self._preview = preview

    @property
    def searched(self) -> OptionList:
        """The items."""
        return self.query_one(OptionList)

    def compose_content(self) -> ComposeResult:
        """Yield the items."""
        options = [
            Option(line, id=f"choice-{number}", disabled=choice in self.disabled_ids)
            for number, (line, (choice, *_)) in enumerate(
                zip(self._lines(), self.choices, strict=True)
            )
        ]
        yield OptionList(*options, markup=False)

    def _lines(self) -> list[Content]:
        width = max((cell_len(visible(label)) for _, label, _ in self.choices), default=0)
        room = self.app.size.width * 9 // 10 - _FRAME_WIDTH - _SCROLLBAR_WIDTH
        return [
            _line(visible(label), visible(hint, _MAX_HINT), width + 2, room)
            for _, label, hint in self.choices
        ]

    def paint(self) -> None:
        """Read the items again; those that are no longer offered cannot be chosen."""
        if self._present is None or not self.mounted.is_set() or monotonic() < self._due:
            return
        self._due = monotonic() + REREAD_SECONDS
        present = self._present()
        if present.title != self._title:
            self._title = present.title
            self.fit_title()
        offered = {choice: (choice, label, hint) for choice, label, hint in present.choices}
        choices = tuple(offered.get(choice[0], choice) for choice in self.choices)
        disabled = frozenset(present.disabled)
        disabled |= {choice for choice, *_ in choices if choice not in offered}
        if (choices, disabled) == (self.choices, self.disabled_ids):
            return
        self.choices, self.disabled_ids = choices, disabled
        options = self.query_one(OptionList)
        for number, line in enumerate(self._lines()):
            options.replace_option_prompt_at_index(number, line)
            if choices[number][0] in disabled:
                options.disable_option_at_index(number)
            else:
                options.enable_option_at_index(number)

    def fit_title(self) -> int:
        """Make the items as wide as the title, too."""
        width = super().fit_title()
        self.query_one(OptionList).styles.min_width = width
        return width

    def on_mount(self) -> None:
        """Put the cursor on the current choice."""
        ids = [choice for choice, _, _ in self.choices]
        if self.chosen in ids:
            self.query_one(OptionList).highlighted = ids.index(self.chosen)

    def on_key(self, event: events.Key) -> None:
        """Choose an item by its key."""
        choice = self.keys.get(event.key) or self.keys.get(event.character or "")
        if choice is not None:
            event.stop()
            if choice in self.disabled_ids:
                self.app.bell()
            else:
                self.dismiss(choice)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show what the item under the cursor does."""
        if self._preview is not None and self.is_active:
            self._preview(self.choices[event.option_index][0])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Return the chosen item."""
        if self.choices[event.option_index][0] in self.disabled_ids:
            return  # it was disabled while the key was on its way
        self.dismiss(self.choices[event.option_index][0])

    def action_accept(self) -> None:
        """Return the item under the cursor."""
        self.query_one(OptionList).action_select()

    def action_choose(self, step: int) -> None:
        """Move the cursor."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()


def _line(label: str, hint: str, width: int, room: int) -> Content:
    """Return label and hint beside each other, or the hint below where it would be cut."""
    if width + cell_len(hint) <= room:
        return Content.assemble(label.ljust(width), Content.styled(hint, "$text-muted"))
    lines = wrap(hint, max(_INDENT, room - _INDENT))
    below = (Content.styled(f"\n{' ' * _INDENT}{line}", "$text-muted") for line in lines)
    return Content.assemble(label, *below)
