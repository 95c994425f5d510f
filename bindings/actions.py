"""Every action that a key can start, with its default keys.

By default, lowercase keys never change the cluster. The id of an action is stable: `[keys]` in the
config file refers to it. Nothing here imports Textual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Context: TypeAlias = Literal[
    "global",
    "overview",
    "list",
    "stream",
    "detail",
    "tasks",
    "workers",
    "queues",
    "types",
    "filter",
    "command",
    "dialog",
    "confirm",
    "operation",
    "form",
]
"""Where a key works: on every screen, the overview, lists, lists that can follow their newest row
(tasks and log), and the screens of one task or worker; where tasks, workers, queues or task types
can be selected; while a filter or a command is typed; in dialogs, confirmations, the dialog of a
running operation, and forms."""

CONTEXT_TITLES: Final[dict[Context, str]] = {
    "global": "Everywhere",
    "overview": "Overview",
    "list": "Lists",
    "stream": "Tasks and log",
    "detail": "Task and worker details",
    "tasks": "Act on tasks",
    "workers": "Act on workers",
    "queues": "Act on queues",
    "types": "Act on task types",
    "filter": "While typing a filter",
    "command": "While typing a command",
    "dialog": "Dialogs and menus",
    "confirm": "Before an act",
    "operation": "While an operation is running",
    "form": "Forms",
}

ACTIVE_TOGETHER: Final[tuple[tuple[Context, ...], ...]] = (
    ("global", "overview", "tasks", "workers", "queues"),
    ("global", "list", "stream", "tasks"),
    ("global", "list", "workers"),
    ("global", "list", "queues"),
    ("global", "list", "types"),
    ("global", "detail", "tasks", "workers"),
    ("filter",),
    ("command",),
    ("form",),
    ("dialog", "confirm"),
    ("dialog", "operation"),
    # In the menu of operations, the key of an operation chooses it.
    ("dialog", "tasks", "workers", "queues"),
    ("dialog", "types"),
)
"""Contexts that are active at the same time: within each group a key starts one action only. Lines
that are typed into and dialogs take keys before the screen behind them."""

TYPING: Final[frozenset[Context]] = frozenset({"filter", "command", "form"})
"""Contexts in which characters are typed, so that they cannot be keys of actions."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action with its keys and its texts for key bar, help, palette and README."""

    id: str
    """Stable: `[keys]` in the config file refers to it."""
    keys: tuple[str, ...]
    """In Textual's notation: a character, `ctrl+d`, `pagedown`; empty if it has no key."""
    action: str
    """The action in Textual's notation: a method's name, with any arguments: `view('tasks')`."""
    label: str
    """One or two words, for the key bar."""
    help: str
    contexts: tuple[Context, ...]
    show: bool = False
    """Whether the key bar shows it."""
    priority: bool = False
    """Whether it takes its keys before the focused widget, and in every context."""
    mutates: bool = False
    """Whether it changes the cluster, and so is refused in read-only mode."""


def _operation(id_: str, key: str, label: str, text: str, context: Context) -> Action:
    return Action(id_, (key,), f"app.operation('{id_}')", label, text, (context,), mutates=True)


_ROWS: Final[tuple[Context, ...]] = ("overview", "list", "detail")

_VIEWS: Final = (
    ("overview", "Overview", "What matters now, on one screen"),
    ("tasks", "Tasks", "Every task, newest first"),
    ("workers", "Workers", "Workers, their pools and load"),
    ("queues", "Queues", "Depth, trend and consumers of each queue"),
    ("types", "Types", "Statistics by task name"),
    ("scheduled", "Scheduled", "Tasks that wait for their time or for a retry"),
    ("log", "Log", "What happened: connections, losses, workers that came and went"),
)

VIEWS: Final = tuple(
    Action(f"view.{name}", (str(number),), f"view('{name}')", label, text, ("global",), show=True)
    for number, (name, label, text) in enumerate(_VIEWS, start=1)
)

_GLOBAL: Final = (
    Action("command", (":",), "command_line", "command", "Type a command", ("global",), show=True),
    Action(
        "palette", ("ctrl+p",), "command_palette", "palette", "Search all commands", ("global",)
    ),
    Action(
        "back",
        ("escape",),
        "back",
        "back",
        "Clear the marks, clear the filter, go back: one step a press",
        ("global",),
    ),
    Action("history.back", ("[",), "history(-1)", "previous", "To the view before", ("global",)),
    Action("history.forward", ("]",), "history(1)", "next", "To the view after", ("global",)),
    Action(
        "freeze",
        ("p",),
        "freeze",
        "freeze",
        "Hold the screen still; collecting goes on, a badge counts what is held back",
        ("global",),
    ),
    Action(
        "act.details",
        ("d",),
        "operation_details",
        "details",
        "The last operation in full; a running one can be cancelled there",
        ("global",),
    ),
    Action(
        "error",
        ("e",),
        "error",
        "errors",
        "What fails, grouped by exception, task and place; of a task its own group",
        ("global",),
    ),
    Action("refresh", ("ctrl+r",), "refresh_now", "refresh", "Ask workers and queues", ("global",)),
    Action("export", ("ctrl+s",), "export", "save", "Save what is shown to a file", ("global",)),
    Action("help", ("?", "f1"), "help", "help", "These keys", ("global",), show=True),
    Action("quit", ("q",), "quit_or_back", "quit", "Back; at the root, quit", ("global",), True),
    Action("quit.now", ("ctrl+c",), "quit", "quit", "Quit at once", ("global",), priority=True),
    Action(
        "suspend",
        ("ctrl+z",),
        "suspend_process",
        "shell",
        "To the shell; `fg` returns",
        ("global",),
    ),
)

_MOVE: Final = (
    Action("open", ("enter",), "open", "open", "Open what the cursor is on", _ROWS, show=True),
    Action("move.down", ("j", "down"), "move('down')", "down", "Down", _ROWS),
    Action("move.up", ("k", "up"), "move('up')", "up", "Up", _ROWS),
    Action("move.top", ("g", "home"), "move('top')", "first", "To the first row", _ROWS),
    Action("move.bottom", ("G", "end"), "move('bottom')", "last", "To the last row", _ROWS),
    Action("move.page_down", ("pagedown",), "move('page_down')", "page down", "A page down", _ROWS),
    Action("move.page_up", ("pageup",), "move('page_up')", "page up", "A page up", _ROWS),
    Action("move.half_down", ("ctrl+d",), "move('half_down')", "half down", "Half a page", _ROWS),
    Action("move.half_up", ("ctrl+u",), "move('half_up')", "half up", "Half a page up", _ROWS),
    Action(
        "scroll.left",
        ("h", "left"),
        "scroll('left')",
        "left",
        "Columns to the left; on the overview, the pane to the left",
        _ROWS,
    ),
    Action(
        "scroll.right",
        ("l", "right"),
        "scroll('right')",
        "right",
        "Columns to the right; on the overview, the pane to the right",
        _ROWS,
    ),
    Action("focus.next", ("tab",), "pane(1)", "next pane", "To the next pane", _ROWS),
    Action(
        "focus.previous", ("shift+tab",), "pane(-1)", "pane before", "To the pane before", _ROWS
    ),
    Action("zoom", ("f",), "zoom", "zoom", "The focused pane on the whole screen", _ROWS),
    Action("copy.id", ("y",), "copy_id", "copy id", "Copy the id, or what is selected", _ROWS),
    Action(
        "copy.menu",
        ("Y",),
        "copy_menu",
        "copy...",
        "Copy id, arguments, result, traceback, a `celery call` line or JSON",
        _ROWS,
    ),
)

_LIST: Final = (
    Action(
        "filter",
        ("/",),
        "filter",
        "filter",
        "Filter as you type: state:failure name:~^bill worker:w1 !retry age:>5m",
        ("list",),
        show=True,
    ),
    Action(
        "faults", ("!",), "faults", "failures", "Only what went wrong; again for all", ("list",)
    ),
    Action("sort", ("s",), "sort_menu", "sort", "Choose the column to sort by", ("list",)),
    Action(
        "sort.previous",
        ("<",),
        "sort('previous')",
        "sort <",
        "Sort by the column before",
        ("list",),
    ),
    Action("sort.next", (">",), "sort('next')", "sort >", "Sort by the column after", ("list",)),
    Action("sort.invert", ("I",), "sort('invert')", "invert", "Turn the order round", ("list",)),
    Action("wide", ("w",), "wide", "wide", "More columns; again for fewer", ("list",)),
    Action("mark", ("space",), "mark('one')", "mark", "Mark the row", ("list",)),
    Action(
        "mark.range", ("V",), "mark('range')", "range", "Mark from the last mark to here", ("list",)
    ),
    Action("mark.all", ("a",), "mark('all')", "all", "Mark all that is listed", ("list",)),
    Action("mark.none", ("U",), "mark('none')", "none", "Clear all marks", ("list",)),
    Action(
        "follow",
        ("F",),
        "follow",
        "follow",
        "Keep the newest in sight; again to stay where you are",
        ("stream",),
    ),
)

_ACTS: Final = (
    Action(
        "act.menu",
        ("A",),
        "app.operation_menu",
        "act...",
        "All that can be done here, and why not what cannot",
        ("tasks", "workers", "queues", "types"),
        show=True,
    ),
    Action(
        "workflow",
        ("o",),
        "workflow",
        "workflow",
        "The whole that the task belongs to: chain, group, chord, as a tree on one axis of time",
        ("tasks",),
    ),
    Action(
        "task.trigger",
        ("t",),
        "app.operation('task.trigger')",
        "trigger",
        "Trigger a task: a form, nothing is sent before it is confirmed",
        ("tasks", "queues", "types"),
    ),
    _operation(
        "task.retry", "R", "retry", "Send again exactly what was sent, under a new id", "tasks"
    ),
    _operation("task.rerun", "E", "edit", "Edit what was sent, and send it as a new task", "tasks"),
    _operation("task.revoke", "X", "revoke", "Revoke: workers skip what has not started", "tasks"),
    _operation("task.terminate", "K", "terminate", "Terminate what runs, by a signal", "tasks"),
    _operation("pool.grow", "+", "grow", "More pool processes", "workers"),
    _operation("pool.shrink", "-", "shrink", "Fewer pool processes", "workers"),
    _operation("worker.consumer", "C", "consumer", "Consume a queue, or no more", "workers"),
    _operation(
        "worker.drain", "D", "drain", "Let it finish what runs, then shut it down", "workers"
    ),
    Action(
        "queue.look",
        ("v",),
        "app.operation('queue.look')",
        "look",
        "List what waits in the queue, also what no event told of (Redis); nothing is changed",
        ("queues",),
    ),
    _operation("queue.purge", "P", "purge", "Delete all that waits in the queue", "queues"),
    _operation("type.limit", "L", "limits", "Rate and time limits of the task type", "types"),
)

_TYPING: Final = (
    Action(
        "filter.keep",
        ("enter",),
        "screen.keep_filter",
        "keep",
        "Keep it and go to the list",
        ("filter",),
    ),
    Action("filter.list", ("down", "tab"), "screen.keep_filter", "list", "The same", ("filter",)),
    Action(
        "filter.clear",
        ("escape",),
        "screen.clear_filter",
        "clear",
        "Clear it and close",
        ("filter",),
    ),
    Action("dialog.accept", ("enter",), "accept", "choose", "Take what is chosen", ("dialog",)),
    Action(
        "dialog.close", ("escape",), "close", "close", "Close, change nothing", ("dialog", "form")
    ),
    Action("form.next", ("tab",), "field(1)", "next", "The next field", ("form",)),
    Action("form.previous", ("shift+tab",), "field(-1)", "back", "The field before", ("form",)),
    Action("dialog.next", ("down", "j"), "choose(1)", "down", "Down", ("dialog",)),
    Action("dialog.previous", ("up", "k"), "choose(-1)", "up", "Up", ("dialog",)),
    Action(
        "act.cancel",
        ("u",),
        "cancel_operation",
        "cancel",
        "Cancel what has not been sent yet",
        ("operation",),
    ),
    Action("confirm.yes", ("y",), "yes", "yes", "Do it, where no word is asked for", ("confirm",)),
    Action(
        "confirm.next", ("tab", "right", "l"), "turn(1)", "next", "The next answer", ("confirm",)
    ),
    Action(
        "confirm.previous",
        ("shift+tab", "left", "h"),
        "turn(-1)",
        "previous",
        "The answer before",
        ("confirm",),
    ),
    Action("command.run", ("enter",), "run", "run", "Do what is typed", ("command",)),
    Action("command.complete", ("tab",), "complete", "complete", "Complete it", ("command",)),
    Action("command.close", ("escape",), "close", "close", "Close the line", ("command",)),
)

ACTIONS: Final[tuple[Action, ...]] = VIEWS + _GLOBAL + _MOVE + _LIST + _ACTS + _TYPING
