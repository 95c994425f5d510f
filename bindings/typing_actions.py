"""The actions of keys while something is typed, and in dialogs."""

from __future__ import annotations

from functools import partial
from typing import Final

from .action import Action

_in_search = partial(Action, contexts=("search",))
_in_filter = partial(Action, contexts=("filter",))
_in_dialogs = partial(Action, contexts=("dialog",))
_in_forms = partial(Action, contexts=("form",))
_in_confirmations = partial(Action, contexts=("confirm",))
_in_columns = partial(Action, contexts=("columns",))
_in_command_line = partial(Action, contexts=("command",))

TYPING_ACTIONS: Final = (
    _in_filter(
        "filter.keep",
        ("enter",),
        "screen.keep_filter",
        "keep",
        "Keep the filter and go to the list",
    ),
    _in_filter(
        "filter.complete",
        ("tab",),
        "complete(1)",
        "complete",
        "Complete the field or value, again for the next; otherwise go to the list",
    ),
    _in_filter(
        "filter.complete_back",
        ("shift+tab",),
        "complete(-1)",
        "back",
        "Go back to the previous completion",
    ),
    _in_filter("filter.older", ("up",), "recall(-1)", "older", "Recall an earlier filter"),
    _in_filter(
        "filter.list", ("down",), "recall(1)", "list", "Recall a newer filter, or go to the list"
    ),
    _in_filter("filter.clear", ("escape",), "screen.clear_filter", "clear", "Clear the filter"),
    _in_search(
        "search.keep", ("enter",), "screen.keep_search", "keep", "Go to the match on the page"
    ),
    _in_search("search.clear", ("escape",), "screen.clear_search", "clear", "Clear the search"),
    _in_search("search.down", ("down",), "screen.search_step(1)", "next", "Go to the next match"),
    _in_search(
        "search.up", ("up",), "screen.search_step(-1)", "previous", "Go to the previous match"
    ),
    _in_dialogs("dialog.accept", ("enter",), "accept", "choose", "Choose the selected item"),
    Action(
        "dialog.close",
        ("escape",),
        "close",
        "close",
        "Close without changing anything",
        ("dialog", "form"),
    ),
    _in_forms(
        "form.next", ("tab",), "field(1)", "next", "Complete the text, or go to the next field"
    ),
    _in_forms("form.previous", ("shift+tab",), "field(-1)", "previous", "Go to the previous field"),
    _in_dialogs("dialog.next", ("down", "j"), "choose(1)", "down", "Move or scroll down"),
    _in_dialogs("dialog.previous", ("up", "k"), "choose(-1)", "up", "Move or scroll up"),
    Action(
        "act.cancel",
        ("u",),
        "cancel_operation",
        "cancel",
        "Cancel the part that has not been sent yet",
        ("operation",),
    ),
    _in_confirmations("confirm.yes", ("y",), "yes", "yes", "Confirm, unless a word must be typed"),
    _in_confirmations("confirm.no", ("n",), "close", "no", "Cancel, unless a word must be typed"),
    _in_confirmations(
        "confirm.next", ("tab", "right", "l"), "turn(1)", "next", "Go to the next button"
    ),
    _in_confirmations(
        "confirm.previous",
        ("shift+tab", "left", "h"),
        "turn(-1)",
        "previous",
        "Go to the previous button",
    ),
    _in_columns("columns.toggle", ("space",), "switch", "on/off", "Show or hide the column"),
    _in_columns("columns.up", ("K", "shift+up"), "shift(-1)", "up", "Move the column up"),
    _in_columns("columns.down", ("J", "shift+down"), "shift(1)", "down", "Move the column down"),
    _in_columns(
        "columns.narrower", ("left", "h"), "widen(-1)", "narrower", "Make the column narrower"
    ),
    _in_columns("columns.wider", ("right", "l"), "widen(1)", "wider", "Make the column wider"),
    _in_columns("columns.reset", ("r",), "reset", "reset", "Restore the default columns"),
    _in_command_line("command.run", ("enter",), "run", "run", "Run the command"),
    _in_command_line("command.complete", ("tab",), "complete", "complete", "Complete the command"),
    _in_command_line("command.older", ("up",), "recall(-1)", "older", "Recall an earlier command"),
    _in_command_line("command.newer", ("down",), "recall(1)", "newer", "Recall a newer command"),
    _in_command_line("command.close", ("escape",), "close", "close", "Close the command line"),
)
