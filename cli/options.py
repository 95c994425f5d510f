"""The global options: declared once, understood before and after every command's name.

Each command carries them all. What is given is collected, the later one winning, in the context
that a command shares with its group; `settings_of` turns it into `Settings`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import click
from click.core import ParameterSource

from .exit_codes import Misuse

if TYPE_CHECKING:
    from ..cluster.app_probe import AppDescription
    from ..settings import DescribeApp, Settings

GIVEN: Final = "celtop.given"
"""Where the context keeps the values that were given, by field."""
CONFIG: Final = "config_file"
NO_BROKER: Final = (
    "no broker is named. Give one with -b URL, CELTOP_BROKER_URL, the config file or -A APP;"
    " or type `celtop demo` to look around"
)


class GlobalOption(click.Option):
    """An option that sets the field it is named after, wherever on the command line it stands."""

    def __init__(self, *declarations: str, field: str, **attributes: Any) -> None:
        super().__init__(
            [*declarations, field], expose_value=False, default=None, callback=_keep, **attributes
        )


def _keep(ctx: click.Context, option: click.Parameter, value: object) -> None:
    if option.name and ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE:
        give(ctx, option.name, value)


def _switch(declaration: str, field: str, meaning: str) -> GlobalOption:
    return GlobalOption(declaration, field=field, is_flag=True, help=meaning)


def global_options() -> list[click.Option]:
    """Return a fresh set of the options that every command has."""
    return [
        GlobalOption("-A", "--app", field="app", metavar="APP",
                     help="The monitored Celery app, as in `celery -A`. Its code runs in a process"
                     " of its own. Optional: a broker is enough."),
        GlobalOption("-b", "--broker", field="broker_url", metavar="URL",
                     help="The broker. Better by CELTOP_BROKER_URL if it holds a password."),
        GlobalOption("--result-backend", field="result_backend", metavar="URL",
                     help="The result backend."),
        GlobalOption("--workdir", field="workdir", metavar="DIR",
                     help="The folder that the app is imported from."),
        GlobalOption("--config", field=CONFIG, metavar="FILE",
                     help="The config file, instead of the one that `celtop config paths` tells."),
        GlobalOption("-Q", "--queues", field="queues", metavar="NAMES",
                     help="Queues to watch besides those found, divided by commas."),
        _switch("--enable-events/--no-enable-events", "enable_events",
                "Turn task events on at workers that send none (default), or leave them."),
        _switch("--read-only/--no-read-only", "read_only",
                "Refuse every act on the cluster; task events are another matter."),
        _switch("--frugal/--no-frugal", "frugal",
                "Send the broker as few commands as possible."),
        GlobalOption("--rate", field="frames_per_second", metavar="N",
                     help="Paint at most N times a second."),
        GlobalOption("--theme", field="theme", metavar="NAME", help="The colour theme."),
        _switch("--mouse/--no-mouse", "mouse", "Take the mouse, or leave it to the terminal."),
        _switch("--ascii/--no-ascii", "ascii", "Draw with ASCII alone."),
        GlobalOption("--timezone", field="timezone", type=click.Choice(["local", "utc"]),
                     help="The zone of the times on the screen."),
        GlobalOption("--history", field="history", metavar="N",
                     help="Tasks that ended before celtop came to list, 0 for none."),
        GlobalOption("--max-tasks", field="max_tasks", metavar="N",
                     help="Tasks kept in memory."),
    ]  # fmt: skip


class Command(click.Command):
    """A command with the global options."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params.extend(global_options())

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a command's own options first, then the global ones."""
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        for option in self.get_params(ctx):
            # What an argument is, the description tells.
            if isinstance(option, click.Argument):
                continue
            if record := option.get_help_record(ctx):
                (common if isinstance(option, GlobalOption) else own).append(record)
        for title, records in (("Options", own), ("Global options", common)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Group(Command, click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first: they are what one looks for."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


def give(ctx: click.Context, field: str, value: object) -> None:
    """Take a value as if the command line had given it."""
    ctx.meta.setdefault(GIVEN, {})[field] = value


def given(ctx: click.Context) -> dict[str, object]:
    """Return what the command line says of the settings, by field."""
    return dict(ctx.meta.get(GIVEN, {}))


def describe_app(app: str, workdir: str | None) -> AppDescription:
    """Return what the monitored app says of itself.

    Raises:
        Misuse: It cannot be loaded.
    """
    from ..cluster.app_probe import AppError, describe

    try:
        return describe(app, workdir)
    except AppError as error:
        raise Misuse(str(error)) from error


def _describe(app: str, workdir: str | None) -> Mapping[str, object]:
    import msgspec

    return msgspec.structs.asdict(describe_app(app, workdir))


def settings_of(
    ctx: click.Context, *, broker_needed: bool = True, describe: DescribeApp = _describe
) -> Settings:
    """Return the settings that the command line and all other places make.

    Args:
        ctx: The context of the command.
        broker_needed: Whether there is nothing to do without one.
        describe: Tells what the app says, if one is named.

    Raises:
        Misuse: One of them is no good, or nothing names a broker.
    """
    from ..settings import SettingsError, load_settings

    flags = given(ctx)
    config_file = cast("str | None", flags.pop(CONFIG, None))
    try:
        settings = load_settings(flags, os.environ, config_file, describe)
    except SettingsError as error:
        raise Misuse(str(error)) from error
    if broker_needed and not settings.broker_url:
        raise Misuse(NO_BROKER)
    return settings
