"""All typed commands: what can follow `:`, and what the palette offers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...bindings.actions import VIEWS
from ...model.query.completion import completions as filter_completions
from ..bars.command_line import Suggestions
from ..charts.chart_window import WINDOW_NAMES, windows
from ..context import TIMES
from ..host import Host
from ..navigation import DrillDown, Location, page_of, workflow_of
from ..operations.tasks.find_task import find_task
from ..operations.why import explain
from ..text.filter_values import filter_values
from .base import Command as Command
from .base import CommandError as CommandError
from .base import CommandHost, Run, known_task, task_starting_with
from .findings import FINDING_COMMANDS
from .operations import OPERATION_COMMANDS
from .replay import REPLAY_COMMANDS
from .views import VIEW_COMMAND

MAX_COMPLETIONS: Final = 200
MAX_FRAME_RATE: Final = 60


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
        raise CommandError(f"Ambiguous command {word}: {', '.join(each.name for each in near)}")
    raise CommandError(f"Unknown command {word}; an empty line lists all commands")


def run(host: CommandHost, line: str) -> None:
    """Run a command line.

    Raises:
        CommandError: It cannot be run.
    """
    word, _, argument = line.strip().removeprefix(":").partition(" ")
    if not word:
        return
    command, argument = find(word), argument.strip()
    if argument and not command.argument:
        raise CommandError(_takes_no_argument(word, command, argument))
    if command.current is not None and not argument:
        host.begin(_choose(host, command))
    else:
        command.run(host, argument)


def _takes_no_argument(word: str, command: Command, argument: str) -> str:
    others = [one.name for one in COMMANDS if one.argument and one.name.startswith(word)]
    advice = f"; did you mean {others[0]} {argument}?" if others else ""
    return f"{command.name} takes no argument{advice}"


async def _choose(host: CommandHost, command: Command) -> None:
    """Run a command with each value that the cursor of a menu is on, and keep the chosen one."""
    from ..dialogs.menu import Menu

    assert command.values is not None and command.current is not None
    before, values = command.current(host), list(command.values(host))

    def use(value: str) -> None:
        if command.current is not None and value != command.current(host):
            command.run(host, value)

    choices = [(value, value, "") for value in values]
    chosen = await host.ask(Menu(command.help, choices, before, preview=use))
    host.answered()
    use(before if chosen is None else chosen)


def suggest(host: CommandHost, line: str) -> Suggestions:
    """Return the completions of a line that is being typed, and the help of its command."""
    lines = completions(host, line)
    word = line.split(" ")[0]
    if not word:
        return Suggestions(lines)
    try:
        command = find(word)
    except CommandError as error:
        return Suggestions(lines, error=str(error))
    usage = f"{command.name} {command.argument}".rstrip()
    return Suggestions(lines, usage=usage, help=command.help)


def completions(host: CommandHost, line: str) -> list[str]:
    """Return the lines that a line may be completed to, best first."""
    word, space, argument = line.partition(" ")
    if not space:
        near = [one for one in COMMANDS if one.name.startswith(word)]
        near.sort(key=lambda one: word not in one.aliases)  # `:q` runs `quit`
        return [f"{one.name} " if one.argument else one.name for one in near]
    try:
        command = find(word)
    except CommandError:
        return []
    if command.filters:
        found = filter_completions(argument, filter_values(host.context.state))
        return [f"{word} {one.text}" for one in found]
    if command.values is None:
        return []
    start = argument.lower()
    # Completions are shown as they are: an escape sequence in one would reach the terminal.
    values = [v for v in command.values(host) if start in v.lower() and v.isprintable()]
    values.sort(key=lambda value: not value.lower().startswith(start))
    return [f"{word} {value}" for value in values[:MAX_COMPLETIONS]]


def _view(name: str) -> Run:
    return lambda host, argument: host.go(Location(name), filter_text=argument)


def _rate(host: CommandHost, argument: str) -> None:
    try:
        rate = float(argument)
    except ValueError:
        raise CommandError(f"Not a number: {argument or '(empty)'}") from None
    if not 0.1 <= rate <= MAX_FRAME_RATE:
        raise CommandError(f"The frame rate must be between 0.1 and {MAX_FRAME_RATE}")
    host.frame_loop.pacer.per_second = rate


def _theme(host: CommandHost, argument: str) -> None:
    if argument not in host.available_themes:
        invalid = host.read_themes()  # the file may have been written since the start
        if argument in invalid:
            raise CommandError(invalid[argument])
    if argument not in host.available_themes:
        raise CommandError(f"Unknown theme {argument}; `:theme` lists all themes")
    host.theme = argument


def _mouse(host: CommandHost, argument: str) -> None:
    if argument not in ("on", "off"):
        raise CommandError("Usage: mouse on|off")
    host.use_mouse(argument == "on")


def _zone(host: CommandHost, argument: str) -> None:
    if argument not in TIMES:
        raise CommandError(f"Usage: zone {'|'.join(TIMES)}")
    host.show_times(argument)


def _charts(host: CommandHost, argument: str) -> None:
    if argument:
        if argument not in WINDOW_NAMES:
            raise CommandError(f"Usage: charts [{'|'.join(WINDOW_NAMES)}]")
        if WINDOW_NAMES[argument] not in windows(host.context):
            raise CommandError("Longer windows than 1h need the history, which is off")
        host.context.chart_seconds = WINDOW_NAMES[argument]
    host.action_charts()


def _task(host: CommandHost, argument: str) -> None:
    found = task_starting_with(host, argument)
    if found is None:
        host.begin(find_task(host, argument))
    else:
        host.go(host.location.deeper(page_of(found)))


def _why(host: CommandHost, argument: str) -> None:
    known = argument in host.context.live.queues
    found = argument if known else task_starting_with(host, argument)
    if found is None:
        raise CommandError(f"No queue {argument}, and no known task id starts with it")
    host.begin(explain(host, found))


def _workflow(host: CommandHost, argument: str) -> None:
    found = known_task(host, argument)
    location = host.location
    within = location.path and location.path[-1].kind == "workflow"
    host.go((location.out() if within else location).deeper(workflow_of(found)))


def _worker(host: CommandHost, argument: str) -> None:
    if argument not in host.context.live.workers:
        key = host.context.keymap.key("view.workers") or "`:workers`"
        raise CommandError(f"Unknown worker {argument}; {key} lists known workers")
    host.go(host.location.deeper(DrillDown("worker", argument)))


def _tasks(host: Host) -> Iterable[str]:
    return reversed(host.context.live.tasks)


def _queues_and_tasks(host: Host) -> Iterable[str]:
    return (*host.context.live.queues, *_tasks(host))


COMMANDS: Final[tuple[Command, ...]] = (
    *(
        Command(
            action.id.removeprefix("view."),
            action.help,
            _view(action.id.removeprefix("view.")),
            "[FILTER]" if action.id != "view.overview" else "",
            filters=action.id in ("view.tasks", "view.scheduled"),
        )
        for action in VIEWS
    ),
    Command(
        "quit", "Quit celtop", lambda host, _: host.runner.leave(), aliases=("q", "q!", "exit")
    ),
    Command(
        "filter",
        "Filter the list",
        lambda host, text: host.filter_by(text),
        "[FILTER]",
        filters=True,
    ),
    VIEW_COMMAND,
    Command(
        "columns",
        "Choose the columns of the list, their order and width",
        lambda host, _: host.choose_columns(),
        aliases=("cols",),
    ),
    Command("task", "Open a task by its id, even one that is not listed", _task, "ID", _tasks),
    Command(
        "why",
        "Explain why a task or queue does not move",
        _why,
        "ID|QUEUE",
        _queues_and_tasks,
    ),
    Command("workflow", "Open the workflow of a task", _workflow, "ID", _tasks),
    Command("worker", "Open a worker", _worker, "NAME", lambda host: host.context.live.workers),
    Command(
        "rate",
        "Maximum frames per second",
        _rate,
        "NUMBER",
        lambda _: ("1", "2", "4", "10"),
        lambda host: f"{host.frame_loop.pacer.per_second:g}",
    ),
    Command(
        "theme",
        "Change the theme",
        _theme,
        "[NAME]",
        lambda host: sorted(host.available_themes),
        lambda host: host.theme,
    ),
    Command("mouse", "Capture the mouse", _mouse, "on|off", lambda _: ("on", "off")),
    Command(
        "zone",
        "Show times in local time, in UTC or relative",
        _zone,
        "[ZONE]",
        lambda _: TIMES,
        lambda host: host.context.times,
    ),
    Command(
        "charts",
        "Charts of the last minutes, hours or days",
        _charts,
        f"[{'|'.join(WINDOW_NAMES)}]",
        lambda _: WINDOW_NAMES,
    ),
    Command("freeze", "Freeze or unfreeze the screen", lambda host, _: host.action_freeze()),
    Command("refresh", "Poll workers and queues", lambda host, _: host.action_refresh_now()),
    *FINDING_COMMANDS,
    *OPERATION_COMMANDS,
    *REPLAY_COMMANDS,
    Command("save", "Save what is shown", lambda host, path: host.action_export(path), "[FILE]"),
    Command("help", "List the keys", lambda host, _: host.action_help()),
)
