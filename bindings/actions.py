"""Every action that a key can start, with its default keys.

By default, lowercase keys never change the cluster. The id of an action is stable: `[keys]` in the
config file refers to it. Nothing here imports Textual.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from .action import Action
from .contexts import Context
from .typing_actions import TYPING_ACTIONS


def _operation(id_: str, key: str, label: str, text: str, context: Context) -> Action:
    return Action(id_, (key,), f"app.operation('{id_}')", label, text, (context,), mutates=True)


_VIEWS: Final = (
    ("overview", "Overview", "Throughput, failures, queues and workers at a glance"),
    ("tasks", "Tasks", "All tasks, newest first"),
    ("workers", "Workers", "Workers with status, pool and load"),
    ("queues", "Queues", "Depth, trend and consumers of each queue"),
    ("types", "Types", "Statistics per task name"),
    ("scheduled", "Scheduled", "Tasks with an ETA or countdown, and pending retries"),
    ("log", "Log", "Connections, lost events, workers, operations"),
    ("findings", "Findings", "What needs attention, with the evidence and the next step"),
    ("schedule", "Schedule", "Periodic tasks: next and last runs, overdue entries"),
    ("clusters", "Clusters", "The clusters of the config file and of the history"),
)

VIEWS: Final = tuple(
    Action(f"view.{name}", (key,), f"view('{name}')", label, text, ("global",), show=True)
    for key, (name, label, text) in zip("1234567890", _VIEWS, strict=True)
)

_everywhere = partial(Action, contexts=("global",))
_on_rows = partial(Action, contexts=("overview", "list", "detail"))
_in_lists = partial(Action, contexts=("list",))
_in_texts = partial(Action, contexts=("text",))
_on_charts = partial(Action, contexts=("charts",))
_with_charts = partial(Action, contexts=("overview", "detail", "charts"))
_in_windows = partial(Action, contexts=("overview", "detail", "charts", "failures"))

_GLOBAL: Final = (
    _everywhere("command", (":",), "command_line", "command", "Open the command line", show=True),
    _everywhere(
        "palette",
        ("ctrl+p",),
        "command_palette",
        "palette",
        "Find commands, screens, workers, queues, types and tasks",
    ),
    _everywhere(
        "back",
        ("escape",),
        "back",
        "back",
        "Clear the marks, clear the filter or go back, in this order",
    ),
    _everywhere("history.back", ("[",), "history(-1)", "previous", "Go to the previous view"),
    _everywhere("history.forward", ("]",), "history(1)", "next", "Go to the next view"),
    _everywhere(
        "freeze",
        ("p",),
        "freeze",
        "freeze",
        "Freeze the screen as a snapshot; the overview then steps through the past."
        " Pause the replay of a recording",
        show=True,
    ),
    _everywhere(
        "undo",
        ("u",),
        "operation('undo')",
        "undo",
        "Undo a pause, a limit, a drain or a change of consumers; resume the selected queue",
    ),
    _everywhere(
        "act.details",
        ("d",),
        "operation_details",
        "details",
        "Show the last operation; cancel it there if it is running",
    ),
    _everywhere(
        "error",
        ("e",),
        "error",
        "errors",
        "Show failures grouped by exception and location in your code",
        show=True,
    ),
    _everywhere(
        "charts", ("c",), "charts", "charts", "Show charts of the cluster or the page's subject"
    ),
    _everywhere(
        "times", ("z",), "times", "times", "Cycle between local time, UTC and relative times"
    ),
    _everywhere("refresh", ("ctrl+r",), "refresh_now", "refresh", "Query workers and queues now"),
    _everywhere("export", ("ctrl+s",), "export", "save", "Save the current view to a file"),
    _everywhere("help", ("?", "f1"), "help", "help", "Show the keys", show=True),
    _everywhere(
        "quit", ("q",), "quit_or_back", "quit", "Go back; on a numbered view, quit", show=True
    ),
    _everywhere("quit.now", ("ctrl+c",), "quit", "quit", "Quit immediately", priority=True),
    Action(
        "suspend",
        ("ctrl+z",),
        "app.suspend_process",
        "suspend",
        "Return to the shell; `fg` resumes celtop",
        ("global", "dialog", "form"),
    ),
)

_in_replays = partial(Action, contexts=("replay",))

_REPLAY: Final = (
    _in_replays(
        "replay.slower", ("{",), "replay('speed', -1)", "slower", "Replay the recording slower"
    ),
    _in_replays(
        "replay.faster", ("}",), "replay('speed', 1)", "faster", "Replay the recording faster"
    ),
    _in_replays(
        "replay.step_back",
        ("(",),
        "replay('step', -1)",
        "step back",
        "Pause the replay, and go back one second",
    ),
    _in_replays(
        "replay.step",
        (")",),
        "replay('step', 1)",
        "step",
        "Pause the replay, and go forward one second",
    ),
    _in_replays(
        "replay.back",
        ("ctrl+left",),
        "replay('leap', -1)",
        "back",
        "Go back by a twentieth of the recording",
    ),
    _in_replays(
        "replay.forward",
        ("ctrl+right",),
        "replay('leap', 1)",
        "forward",
        "Go forward by a twentieth of the recording",
    ),
)

_MOVE: Final = (
    _on_rows(
        "open",
        ("enter",),
        "open",
        "open",
        "Open the item under the cursor; a frame of a traceback in $EDITOR",
        show=True,
    ),
    _on_rows("move.down", ("j", "down"), "move('down')", "down", "Move down"),
    _on_rows("move.up", ("k", "up"), "move('up')", "up", "Move up"),
    _on_rows("move.top", ("g", "home"), "move('top')", "first", "Go to the first row"),
    _on_rows("move.bottom", ("G", "end"), "move('bottom')", "last", "Go to the last row"),
    _on_rows(
        "move.page_down", ("pagedown",), "move('page_down')", "page down", "Move down one page"
    ),
    _on_rows("move.page_up", ("pageup",), "move('page_up')", "page up", "Move up one page"),
    _on_rows(
        "move.half_down", ("ctrl+d",), "move('half_down')", "half down", "Move down half a page"
    ),
    _on_rows("move.half_up", ("ctrl+u",), "move('half_up')", "half up", "Move up half a page"),
    _on_rows(
        "scroll.left",
        ("left", "h"),
        "scroll('left')",
        "left",
        "Scroll the columns left; on the overview, go one pane left, back in time if frozen",
    ),
    _on_rows(
        "scroll.right",
        ("right", "l"),
        "scroll('right')",
        "right",
        "Scroll the columns right; on the overview, go one pane right, forward in time if frozen",
    ),
    _on_rows(
        "focus.next",
        ("tab",),
        "pane(1)",
        "next pane",
        "Go to the next pane; on a folded frame of a traceback, show its source",
    ),
    _on_rows(
        "focus.previous", ("shift+tab",), "pane(-1)", "previous pane", "Go to the previous pane"
    ),
    _on_rows("zoom", ("f",), "zoom", "zoom", "Maximize the focused pane, or restore it"),
    _on_rows(
        "copy.id",
        ("y",),
        "copy_id",
        "copy id",
        "Copy the id, the frame of a traceback, or the selected text",
    ),
    _on_rows(
        "copy.menu",
        ("Y",),
        "copy_menu",
        "copy...",
        "Copy the id, own frame, arguments, result, traceback, JSON or a `celery call` command",
    ),
)

_CHARTS: Final = (
    _in_windows(
        "window.shorter",
        (",",),
        "window(-1)",
        "shorter",
        "Shorten the time window of charts and failures",
    ),
    _in_windows(
        "window.longer",
        (".",),
        "window(1)",
        "longer",
        "Lengthen the time window of charts and failures",
    ),
    _with_charts(
        "window.yesterday",
        ("b",),
        "yesterday",
        "yesterday",
        "Compare charts with the same time yesterday, or no longer",
    ),
    _on_charts(
        "charts.earlier",
        ("left", "h"),
        "scroll('left')",
        "earlier",
        "Move the cursor back in time",
        show=True,
    ),
    _on_charts(
        "charts.later",
        ("right", "l"),
        "scroll('right')",
        "later",
        "Move the cursor forward in time",
    ),
    _on_charts("charts.newest", ("end", "G"), "newest", "newest", "Return to the newest values"),
    _on_charts(
        "charts.tasks",
        ("enter",),
        "open",
        "tasks",
        "List the tasks at the time under the cursor",
        show=True,
    ),
    _on_charts("charts.down", ("down", "j"), "move('down')", "down", "Go to the chart below"),
    _on_charts("charts.up", ("up", "k"), "move('up')", "up", "Go to the chart above"),
    _on_charts("charts.next", ("tab",), "pane(1)", "next chart", "Go to the next chart"),
    _on_charts(
        "charts.previous", ("shift+tab",), "pane(-1)", "previous chart", "Go to the previous chart"
    ),
    _on_charts("charts.zoom", ("f",), "zoom", "zoom", "Maximize the focused chart, or restore it"),
)

_LIST: Final = (
    _in_lists(
        "filter",
        ("/",),
        "filter",
        "filter",
        "Filter as you type: state:failure name:~^bill worker:w1 !retry age:>5m",
        show=True,
    ),
    _in_lists(
        "faults",
        ("!",),
        "faults",
        "failures",
        "Show only failures and problems, or everything again",
        show=True,
    ),
    _in_lists("sort", ("s",), "sort_menu", "sort", "Choose the sort column", show=True),
    _in_lists("sort.previous", ("<",), "sort('previous')", "sort <", "Sort by the previous column"),
    _in_lists("sort.next", (">",), "sort('next')", "sort >", "Sort by the next column"),
    _in_lists("sort.invert", ("I",), "sort('invert')", "reverse", "Reverse the sort order"),
    _in_lists("wide", ("w",), "wide", "wide", "Show all columns, or only those that fit"),
    _in_lists("mark", ("space",), "mark('one')", "mark", "Mark or unmark the row", show=True),
    _in_lists(
        "mark.range",
        ("V",),
        "mark('range')",
        "range",
        "Mark all rows from the last mark to the cursor",
    ),
    _in_lists("mark.all", ("a",), "mark('all')", "all", "Mark all listed rows"),
    _in_lists("mark.none", ("U",), "mark('none')", "none", "Clear all marks"),
    _in_lists(
        "compare",
        ("=",),
        "compare",
        "compare",
        "Compare two marked tasks, workers or task types side by side",
    ),
    Action(
        "follow",
        ("F",),
        "follow",
        "follow",
        "Follow the newest row, or stop following",
        ("stream",),
        show=True,
    ),
)

_OVERVIEW: Final = (
    Action(
        "filter.tasks",
        ("/",),
        "filter_tasks",
        "filter",
        "Filter all tasks",
        ("overview", "charts"),
        show=True,
    ),
)

_FINDINGS: Final = (
    Action(
        "finding.acknowledge",
        ("m",),
        "app.acknowledge",
        "ack",
        "Acknowledge the selected findings until they become worse, or take it back",
        ("findings",),
    ),
)

_TEXT: Final = (
    _in_texts("search", ("/",), "search", "search", "Search the text of the page", show=True),
    Action(
        "search.next",
        ("n",),
        "search_step(1)",
        "next match",
        "Go to the next match on a page (lists are filtered)",
        ("text", "failures"),
    ),
    Action(
        "search.previous",
        ("N",),
        "search_step(-1)",
        "previous match",
        "Go to the previous match on a page",
        ("text", "failures"),
    ),
)

_SUBJECT: Final = (
    Action(
        "tasks.all",
        ("a",),
        "list_tasks",
        "all tasks",
        "List all tasks of the queue or task type",
        ("subject",),
        show=True,
    ),
)

_ACTS: Final = (
    Action(
        "act.menu",
        ("A",),
        "app.operation_menu",
        "operations",
        "Everything you can do here, and why the rest is unavailable",
        ("tasks", "workers", "queues", "types", "schedule", "messages"),
        show=True,
    ),
    Action(
        "why",
        ("i",),
        "app.operation('why')",
        "why",
        "Explain why the task or queue does not move, or how soon it will",
        ("tasks", "queues", "findings"),
    ),
    Action(
        "workflow",
        ("o",),
        "workflow",
        "workflow",
        "The task's workflow (chain, group, chord) as a tree with a timeline",
        ("tasks",),
    ),
    Action(
        "task.trigger",
        ("t",),
        "app.operation('task.trigger')",
        "trigger",
        "Send a new task; nothing is sent before you confirm",
        ("tasks", "queues", "types", "schedule"),
    ),
    _operation("task.retry", "R", "retry", "Send the same task again under a new id", "tasks"),
    _operation("task.rerun", "E", "edit", "Edit the task and send it as a new one", "tasks"),
    _operation(
        "task.revoke",
        "X",
        "revoke",
        "Revoke: workers discard the task when they receive it",
        "tasks",
    ),
    _operation(
        "task.terminate", "K", "terminate", "Terminate running tasks with a signal", "tasks"
    ),
    _operation("pool.grow", "+", "grow", "Add pool processes", "workers"),
    _operation("pool.shrink", "-", "shrink", "Remove pool processes", "workers"),
    _operation("worker.consumer", "C", "consumer", "Add or cancel a queue consumer", "workers"),
    _operation(
        "worker.drain",
        "D",
        "drain",
        "Stop consuming, finish the received tasks, then shut down",
        "workers",
    ),
    Action(
        "queue.look",
        ("v",),
        "app.operation('queue.look')",
        "messages",
        "List the messages waiting in the queue; on RabbitMQ this marks them as redelivered",
        ("queues",),
    ),
    _operation("message.remove", "D", "delete", "Delete the selected messages (Redis)", "messages"),
    _operation("queue.purge", "P", "purge", "Delete all messages waiting in the queue", "queues"),
    _operation(
        "schedule.switch",
        "E",
        "enable/disable",
        "Disable the periodic task, or enable it again (django-celery-beat)",
        "schedule",
    ),
    _operation(
        "type.limit", "L", "limits", "Change rate and time limits of the task type", "types"
    ),
)

ACTIONS: Final[tuple[Action, ...]] = (
    *VIEWS, *_GLOBAL, *_REPLAY, *_MOVE, *_CHARTS, *_LIST, *_OVERVIEW, *_FINDINGS, *_TEXT,
    *_SUBJECT, *_ACTS, *TYPING_ACTIONS,
)  # fmt: skip
