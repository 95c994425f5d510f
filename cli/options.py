"""The global options: declared once, accepted before and after every command's name.

Each command has them all. The values given are collected, the last one winning, in the context that
a command shares with its group; `settings_of` turns them into `Settings`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import click
from click.core import ParameterSource

from .exit_codes import InvalidUsage
from .output import stderr
from .output.stdout import discard_stdout, unwritable_stdout

if TYPE_CHECKING:
    from ..cluster.app_probe import AppDescription
    from ..settings import DescribeApp, Settings

GIVEN: Final = "celtop.given"
"""The key of the context's `meta` that holds the values given, by field."""
CONFIG: Final = "config_file"
OF_ONE_CLUSTER: Final = (
    *("app", "broker_url", "result_backend", "workdir", "queues", "view", "beat_schedule_file"),
)
"""Options that belong to one cluster."""
NO_BROKER: Final = (
    "No broker URL. Set it with -b URL, CELTOP_BROKER_URL, the config file or -A APP;"
    " or try celtop on a demo cluster: `celtop demo`"
)
READ_HISTORY: Final = "`task`, `snapshot` and the commands that list something"
"""The commands that need no broker."""
DURATION: Final = "DURATION"
"""The metavar of options that take a duration."""
DURATION_HELP: Final = "DURATION is a number of seconds, or has units: 300ms, 30s, 5m, 1h30m, 1d."
SEE_GLOBAL_OPTIONS: Final = "Global options, such as -b URL, are listed by `celtop --help`."


class GlobalOption(click.Option):
    """An option that sets the field it is named after, anywhere on the command line."""

    def __init__(self, *declarations: str, field: str, **attributes: Any) -> None:
        super().__init__(
            [*declarations, field], expose_value=False, default=None, callback=_keep, **attributes
        )


def _keep(ctx: click.Context, option: click.Parameter, value: object) -> None:
    if option.name and ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
        give(ctx, option.name, value)


def _switch(declaration: str, field: str, help_text: str) -> GlobalOption:
    return GlobalOption(declaration, field=field, is_flag=True, help=help_text)


GLOBAL_OPTIONS: Final = (
    GlobalOption("-A", "--app", field="app", metavar="APP",
                 help="The Celery app to monitor, as in `celery -A` (optional). It is loaded"
                 " in a separate process."),
    GlobalOption("-b", "--broker", field="broker_url", metavar="URL",
                 help="The broker URL. Prefer CELTOP_BROKER_URL if the URL contains a password."),
    GlobalOption("--result-backend", field="result_backend", metavar="URL",
                 help="The result backend."),
    GlobalOption("--cluster", field="cluster", metavar="NAME",
                 help="The cluster of this name in the config file; otherwise, the name under which"
                 " to keep the history of this broker."),
    GlobalOption("--workdir", field="workdir", metavar="DIR",
                 help="The directory to import the app from."),
    GlobalOption("--config", field=CONFIG, metavar="FILE",
                 help="The config file (default: see `celtop config paths`)."),
    GlobalOption("-Q", "--queues", field="queues", metavar="NAMES",
                 help="Additional queues to monitor, separated by commas."),
    GlobalOption("--beat-schedule-file", field="beat_schedule_file", metavar="FILE",
                 help="The file of `celery beat -s`; it is read without unpickling it."),
    GlobalOption("--events", field="events", type=click.Choice(["auto", "always", "never"]),
                 help="Enable task events on workers that send none: until celtop exits (auto,"
                 " the default), permanently (always), or not at all (never)."),
    _switch("--enable-events/--no-enable-events", "enable_events",
            "Same as --events auto and --events never."),
    _switch("--read-only/--no-read-only", "read_only",
            "Refuse every change to the cluster. Task events are still enabled, unless"
            " --events never is given."),
    _switch("--frugal/--no-frugal", "frugal",
            "Send as few commands to the broker as possible."),
    GlobalOption("--rate", field="frames_per_second", metavar="N",
                 help="Redraw the screen at most N times per second."),
    GlobalOption("--theme", field="theme", metavar="NAME", help="The colour theme."),
    GlobalOption("--view", field="view", metavar="NAME",
                 help="Open a view that was saved with `:view save NAME`."),
    _switch("--mouse/--no-mouse", "mouse", "Capture the mouse (default: yes)."),
    _switch("--ascii/--no-ascii", "ascii", "Draw with ASCII characters only."),
    GlobalOption("--timezone", field="timezone", type=click.Choice(["local", "utc"]),
                 help="Show times in this time zone (default: local)."),
    GlobalOption("--load-results", field="load_results", metavar="N",
                 help="Load at most N finished tasks from the result backend at startup"
                 " (0: none)."),
    GlobalOption("--history", field="history", metavar="URL",
                 help="Keep the history in this file, or in PostgreSQL: postgresql://host/database"
                 " (default: a file in the user's data folder)."),
    GlobalOption("--no-history", field="history", is_flag=True, flag_value="off",
                 help="Neither keep a history nor read it."),
    GlobalOption("--from-history", field="from_history", metavar="URL",
                 help="Read tasks from the history that `celtop collect` keeps here, instead of"
                 " receiving task events."),
    GlobalOption("--max-tasks", field="max_tasks", metavar="N",
                 help="Keep at most N tasks in memory."),
)  # fmt: skip
"""The options that every command has."""


class Command(click.Command):
    """A command with the global options; only the help of `celtop` itself lists them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; help and version are printed meanwhile.

        Raises:
            CommandError: stdout cannot be written.
        """
        try:
            return super().parse_args(ctx, args)
        except BrokenPipeError:
            discard_stdout()
            ctx.exit()
        except OSError as error:
            raise unwritable_stdout(error) from error

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params.extend(GLOBAL_OPTIONS)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options and, for the root command, the global ones."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Global options": []}
        for option in self.get_params(ctx):
            # Arguments are explained by the description.
            if isinstance(option, click.Argument):
                continue
            if record := option.get_help_record(ctx):
                is_global = isinstance(option, GlobalOption)
                sections["Global options" if is_global else "Options"].append(record)
        if _below_celtop(ctx):
            del sections["Global options"]
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the options above do not explain: durations, and where the rest is listed."""
        super().format_epilog(ctx, formatter)
        notes = []
        if any(option.metavar == DURATION for option in self.params):
            notes.append(DURATION_HELP)
        if _below_celtop(ctx):
            notes.append(SEE_GLOBAL_OPTIONS)
        for note in notes:
            formatter.write_paragraph()
            formatter.write_text(note)


class Group(Command, click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands before the options."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


def _below_celtop(ctx: click.Context) -> bool:
    """Return whether a command is run by `celtop`: `celery top` has no `celtop --help` to name."""
    return ctx.parent is not None and isinstance(ctx.find_root().command, Group)


def give(ctx: click.Context, field: str, value: object) -> None:
    """Set a value as if it had been given on the command line."""
    ctx.meta.setdefault(GIVEN, {})[field] = value


def given(ctx: click.Context) -> dict[str, object]:
    """Return the values given on the command line, by field."""
    return dict(ctx.meta.get(GIVEN, {}))


def describe_app(app: str, workdir: str | None) -> AppDescription:
    """Return the configuration and the tasks of the monitored app.

    Raises:
        InvalidUsage: The app cannot be loaded.
    """
    from ..cluster.app_probe import AppError, describe

    try:
        return describe(app, workdir)
    except AppError as error:
        raise InvalidUsage(str(error)) from error


def _describe(app: str, workdir: str | None) -> Mapping[str, object]:
    import msgspec

    return msgspec.structs.asdict(describe_app(app, workdir))


def settings_of(
    ctx: click.Context,
    *,
    broker_needed: bool = True,
    describe: DescribeApp = _describe,
    is_offline: Callable[[Settings], bool] | None = None,
) -> Settings:
    """Return the settings, from the command line and all other sources.

    Args:
        ctx: The command's context.
        broker_needed: Whether there has to be a broker.
        describe: Returns the configuration of an app.
        is_offline: Returns whether the named cluster is known without a broker; the settings have
            no broker URL then. None if the command needs one.

    Raises:
        InvalidUsage: A setting is invalid, or the broker URL is needed and no source has one.
    """
    flags = given(ctx)
    settings = _load(flags, describe)
    for warning in settings.warnings:
        stderr.echo(warning)
    if settings.keymap or settings.keys:
        from .keymap import keymap_of

        keymap_of(settings)
    if broker_needed:
        try:
            _check_broker(settings, named="broker_url" in flags, needed=is_offline is None)
        except InvalidUsage:
            if is_offline is None or not is_offline(settings):
                raise
            return settings.model_copy(update={"broker_url": ""})
    return settings


def settings_of_cluster(ctx: click.Context, name: str) -> Settings:
    """Return the settings of a cluster of the config file.

    What the command line names of another cluster, such as its broker, does not count.

    Raises:
        InvalidUsage: As `settings_of`.
    """
    for field in OF_ONE_CLUSTER:
        ctx.meta.get(GIVEN, {}).pop(field, None)
    give(ctx, "cluster", name)
    return settings_of(ctx)


def settings_of_clusters(ctx: click.Context) -> list[Settings]:
    """Return the settings of each cluster of the config file, or of the one that is named.

    A cluster is also named by the URL of its broker.

    Raises:
        InvalidUsage: As `settings_of`.
    """
    flags = given(ctx)
    first = settings_of(ctx, broker_needed=False)
    if first.cluster or "broker_url" in flags or not first.clusters:
        _check_broker(first, named="broker_url" in flags)
        return [first]
    every = [_load({**flags, "cluster": name}, _describe) for name in first.clusters]
    for settings in every:
        if not settings.broker_url:
            raise InvalidUsage(f"Cluster {settings.cluster} of the config file has no broker_url")
    return every


def _load(flags: Mapping[str, object], describe: DescribeApp) -> Settings:
    from ..settings import SettingsError, load_settings

    values = dict(flags)
    config_file = cast("str | None", values.pop(CONFIG, None))
    try:
        return load_settings(values, os.environ, config_file, describe)
    except SettingsError as error:
        raise InvalidUsage(str(error)) from error


def _check_broker(settings: Settings, *, named: bool, needed: bool = True) -> None:
    """Check that there is a broker URL, and that it is that of the named cluster.

    Args:
        settings: The settings.
        named: Whether the command line has the URL.
        needed: Whether the command reads no history instead, which other commands do.

    Raises:
        InvalidUsage: There is none, or the config file has clusters, but not this one.
    """
    name, known = settings.cluster, settings.clusters
    if name is not None and known and name not in known and not named:
        raise InvalidUsage(
            f"No cluster {name!r} in the config file. It has: {', '.join(known)}."
            " Add -b URL to use the name for another broker"
        )
    if not settings.broker_url:
        stored = f". Only {READ_HISTORY} read the history of {name}" if name and needed else ""
        raise InvalidUsage(f"{NO_BROKER}{stored}")
