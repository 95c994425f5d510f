"""The places where keys work, and which of them are active at the same time."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Context: TypeAlias = Literal[
    "global",
    "replay",
    "overview",
    "list",
    "stream",
    "detail",
    "subject",
    "charts",
    "failures",
    "findings",
    "text",
    "tasks",
    "workers",
    "queues",
    "types",
    "schedule",
    "messages",
    "filter",
    "search",
    "command",
    "dialog",
    "confirm",
    "operation",
    "form",
    "columns",
]
"""Where a key works: on every screen, on every screen of a recording, the overview, lists, lists
that can follow their newest row (tasks and log), pages, the pages of a queue or task type, the
charts and the failures; where findings can be selected; in texts that can be searched; where tasks,
workers, queues, task types, periodic tasks or messages can be selected; while a filter, a search or
a command is typed; in dialogs, confirmations, the dialog of a running operation, forms, and the
dialog of a list's columns."""

CONTEXT_TITLES: Final[dict[Context, str]] = {
    "global": "Everywhere",
    "replay": "Recordings",
    "overview": "Overview",
    "list": "Lists",
    "stream": "Tasks and log",
    "detail": "Pages",
    "subject": "Queue and task type pages",
    "charts": "Charts",
    "failures": "Failures",
    "findings": "Findings and Attention",
    "text": "Pages and dialogs",
    "tasks": "Task operations",
    "workers": "Worker operations",
    "queues": "Queue operations",
    "types": "Task type operations",
    "schedule": "Schedule operations",
    "messages": "Messages of a queue",
    "filter": "While typing a filter",
    "search": "While typing a search",
    "command": "While typing a command",
    "dialog": "Dialogs and menus",
    "confirm": "Confirmations",
    "operation": "Running operation",
    "form": "Forms",
    "columns": "Column chooser",
}

ACTIVE_TOGETHER: Final[tuple[tuple[Context, ...], ...]] = (
    ("global", "replay", "overview", "findings", "tasks", "workers", "queues"),
    ("global", "replay", "list", "stream", "tasks"),
    ("global", "replay", "list", "findings"),
    ("global", "replay", "list", "workers"),
    ("global", "replay", "list", "queues"),
    ("global", "replay", "list", "types"),
    ("global", "replay", "list", "schedule"),
    ("global", "replay", "list", "messages", "tasks", "queues"),
    ("global", "replay", "detail", "findings", "text", "tasks", "workers"),
    ("global", "replay", "detail", "subject", "findings", "text", "tasks", "queues"),
    ("global", "replay", "detail", "subject", "findings", "text", "tasks", "types"),
    ("global", "replay", "charts"),
    ("global", "replay", "list", "failures", "tasks"),
    ("filter",),
    ("search",),
    ("command",),
    ("form",),
    ("dialog", "confirm"),
    ("dialog", "operation", "text"),
    ("dialog", "columns"),
    # In the menu of operations, the key of an operation chooses it.
    ("dialog", "text", "tasks", "workers", "queues"),
    ("dialog", "text", "messages", "tasks", "queues"),
    ("dialog", "text", "types"),
    ("dialog", "text", "schedule"),
)
"""Contexts that are active at the same time: within each group a key starts one action only. Lines
that are typed into and dialogs take keys before the screen behind them."""

TYPING: Final[frozenset[Context]] = frozenset({"filter", "search", "command", "form"})
"""Contexts in which characters are typed, so that they cannot be keys of actions."""
