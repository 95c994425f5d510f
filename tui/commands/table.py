"""What can be typed after `:`, and what the palette offers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ...bindings.actions import VIEWS
from ..navigation import DrillDown, workflow_of
from .base import Command as Command
from .base import CommandError as CommandError
from .base import Run
from .operations import ACT_COMMANDS

if TYPE_CHECKING:
    from ..app import CeltopApp

MAX_VALUES: Final = 200


def find(word: str) -> Command:
    """Return the command of a name, an alias or an unambiguous beginning.

    Raises:
        CommandError: There is none, or there are several.
    """
    for command in COMMANDS:
        if word == command.name or word in command.aliases:
            return command
    near = [command for command in COMMANDS if command.name.startswith(word)]
    if len(near) == 1:
        return near[0]
    if near:
        raise CommandError(f"{word} may be {', '.join(command.name for command in near)}")
    raise CommandError(f"there is no command {word}; ctrl+p lists all")


def run(app: CeltopApp, line: str) -> None:
    """Do what a typed line says.

    Raises:
        CommandError: It cannot be done.
    """
    word, _, argument = line.strip().removeprefix(":").partition(" ")
    if word:
        find(word).run(app, argument.strip())


def completions(app: CeltopApp, line: str) -> list[str]:
    """Return the lines that a line may be the beginning of, best first."""
    word, space, argument = line.partition(" ")
    if not space:
        return [command.name for command in COMMANDS if command.name.startswith(word)]
    try:
        command = find(word)
    except CommandError:
        return []
    if command.values is None:
        return []
    begun = argument.lower()
    # The line shows what is in it as it stands: an escape sequence would reach the terminal.
    values = [v for v in command.values(app) if begun in v.lower() and v.isprintable()]
    values.sort(key=lambda value: not value.lower().startswith(begun))
    return [f"{word} {value}" for value in values[:MAX_VALUES]]


def _view(name: str) -> Run:
    def show(app: CeltopApp, argument: str) -> None:
        app.action_view(name)
        if argument:
            app.call_after_refresh(app.action_filter_by, argument)

    return show


def _number(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise CommandError(f"not a number: {text or 'nothing'}") from None
    if not least <= value <= most:
        raise CommandError(f"between {least:g} and {most:g}, please")
    return value


def _rate(app: CeltopApp, argument: str) -> None:
    app.frames.per_second = _number(argument, 0.1, 60)


def _theme(app: CeltopApp, argument: str) -> None:
    if argument not in app.available_themes:
        raise CommandError(f"there is no theme {argument}")
    app.theme = argument


def _mouse(app: CeltopApp, argument: str) -> None:
    if argument not in ("on", "off"):
        raise CommandError("mouse on, or mouse off")
    app.use_mouse(argument == "on")


def _zone(app: CeltopApp, argument: str) -> None:
    if argument not in ("utc", "local"):
        raise CommandError("zone utc, or zone local")
    app.context.utc = argument == "utc"
    app.frames.wanted = True


def _task(app: CeltopApp, argument: str) -> None:
    tasks = app.context.state.tasks
    found = [task_id for task_id in tasks if argument and task_id.startswith(argument)]
    if len(found) == 1:
        app.go(app.location.deeper(DrillDown("task", found[0], found[0][:8])))
    elif found or not argument:
        raise CommandError(f"{len(found) or 'no'} tasks begin with {argument}")
    else:
        from ..operations.find_task import look_for

        app.run_worker(look_for(app, argument))


def _workflow(app: CeltopApp, argument: str) -> None:
    tasks = app.context.state.tasks
    found = [task_id for task_id in tasks if argument and task_id.startswith(argument)]
    if len(found) != 1:
        raise CommandError(f"{len(found) or 'no'} tasks begin with {argument}")
    location = app.location
    within = location.path and location.path[-1].kind == "workflow"
    app.go((location.out() if within else location).deeper(workflow_of(found[0])))


def _worker(app: CeltopApp, argument: str) -> None:
    if argument not in app.context.state.workers:
        raise CommandError(f"no worker {argument} is known")
    app.go(app.location.deeper(DrillDown("worker", argument)))


def _filter(app: CeltopApp, argument: str) -> None:
    app.action_filter_by(argument)


def _filters(app: CeltopApp) -> Iterable[str]:
    return (f"{field}:" for field in ("state", "name", "worker", "queue", "id", "args", "age"))


COMMANDS: Final[tuple[Command, ...]] = (
    *(
        Command(
            action.id.removeprefix("view."),
            action.help,
            _view(action.id.removeprefix("view.")),
            "[FILTER]" if action.id != "view.overview" else "",
        )
        for action in VIEWS
    ),
    Command("quit", "End celtop", lambda app, _: app.leave(), aliases=("q", "q!", "exit")),
    Command("filter", "Filter the list", _filter, "FILTER", _filters),
    Command(
        "task",
        "Open a task, wherever it is known",
        _task,
        "ID",
        lambda app: reversed(app.context.state.tasks),
    ),
    Command(
        "workflow",
        "Open the whole that a task belongs to",
        _workflow,
        "ID",
        lambda app: reversed(app.context.state.tasks),
    ),
    Command("worker", "Open a worker", _worker, "NAME", lambda app: app.context.state.workers),
    Command("rate", "Frames a second, at most", _rate, "NUMBER", lambda app: ("1", "2", "4", "10")),
    Command("theme", "Change the colours", _theme, "NAME", lambda app: app.available_themes),
    Command("mouse", "Take the mouse, or leave it", _mouse, "on|off", lambda app: ("on", "off")),
    Command("zone", "Times of day in this zone", _zone, "utc|local", lambda app: ("utc", "local")),
    Command("freeze", "Hold the screen still, or go on", lambda app, _: app.action_freeze()),
    Command("refresh", "Ask workers and queues", lambda app, _: app.action_refresh_now()),
    *ACT_COMMANDS,
    Command("save", "Save what is shown", lambda app, path: app.action_export(path), "[FILE]"),
    Command("help", "The keys", lambda app, _: app.action_help()),
)
