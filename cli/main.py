"""The root command with its subcommands, and the two entry points: `celtop` and `celery top`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

import click

from .. import __version__, garbage
from .exit_codes import ExitCode
from .monitor import open_monitor
from .options import Command, Group, give, settings_of, settings_of_cluster
from .output import stderr
from .time_zone import restore_time_zone


class Section(NamedTuple):
    """A section of the help: its title, its folder in `commands/`, and its commands."""

    title: str
    folder: str
    names: tuple[str, ...]


SECTIONS: Final = (
    Section("Show the cluster", "show", (
        "failures", "queues", "schedule", "snapshot", "tail", "task", "tasks", "types", "watch",
        "why", "workers",
    )),
    Section("Change the cluster", "operations", (
        "control", "purge", "results", "retry", "revoke", "trigger",
    )),
    Section("Monitoring and history", "monitoring", ("check", "collect", "history", "metrics")),
    Section("Troubleshooting", "troubleshooting", ("doctor", "record", "replay", "report")),
    Section("Setup", "setup", ("completion", "config", "demo")),
)  # fmt: skip
COMMANDS: Final = {name: section.folder for section in SECTIONS for name in section.names}
"""The folder of each command, which is defined in the module of its name."""
CELERY_COMMANDS: Final = {
    "beat": "schedule", "call": "trigger", "events": "tail", "inspect": "workers",
    "list": "queues", "result": "task", "status": "workers",
}  # fmt: skip
"""The commands of `celery` that have another name here."""

EPILOG = """\b
Settings, in order of precedence: command line, environment (CELTOP_*, then
CELERY_BROKER_URL and CELERY_RESULT_BACKEND), config file, app, default.

\b
Exit codes: 0 success, 1 the operation or check failed, 2 usage error,
3 broker unreachable, 4 timeout, 130 interrupted."""


COMPLETE_VARIABLE: Final = "_CELTOP_COMPLETE"
"""The variable with which a shell asks for completions; click derives its name from the program."""


class Commands(Mapping[str, click.Command]):
    """The commands by name; each module is imported when its command is looked up."""

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"{__package__}.commands.{COMMANDS[name]}.{name}")
        command: click.Command = getattr(module, name)
        if COMPLETE_VARIABLE in os.environ:
            from .completion.completion import add_completion

            add_completion(command)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class RootGroup(Group):
    """The command `celtop`, whose help lists its commands in sections."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for one of `celery`, the error names the similar one."""
        name = args[0]
        if name in CELERY_COMMANDS and not ctx.resilient_parsing:
            similar = f"`celtop {CELERY_COMMANDS[name]}` is similar to `celery {name}`."
            raise click.UsageError(f"No such command {name!r}. {similar}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with the first sentence of their help."""
        name_width = max(map(len, COMMANDS))
        limit = formatter.width - 6 - name_width  # as click has it: the indent and two gaps
        for section in SECTIONS:
            with formatter.section(section.title):
                formatter.write_dl(
                    [
                        (f"{name:{name_width}}", self.commands[name].get_short_help_str(limit))
                        for name in section.names
                    ]
                )


@click.group(
    cls=RootGroup,
    commands=Commands(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="celtop", message="%(prog)s %(version)s")
@click.pass_context
def celtop(ctx: click.Context) -> int | None:
    """A terminal monitor for Celery.

    Without a command, open the monitor in this terminal. Only a broker URL is required:
    celtop -b redis://localhost:6379/0
    """
    if ctx.invoked_subcommand:
        return None
    return open_monitor(partial(settings_of, ctx), partial(settings_of_cluster, ctx))


@click.command(cls=Command)
@click.pass_context
def top(ctx: click.Context) -> None:
    """Open celtop, a terminal monitor, on the broker of this app."""
    from ..cluster.app_probe import configuration, registered_tasks

    restore_time_zone()
    # Celery has loaded the app in this process: it need not be loaded in another one.
    app = ctx.obj.app
    give(ctx, "app", app.main or "of celery -A")
    described = {**configuration(app), "tasks": registered_tasks(app)}
    ctx.exit(open_monitor(partial(settings_of, ctx, describe=lambda *_: described)))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; errors are printed on stderr."""
    if COMPLETE_VARIABLE in os.environ:
        from .completion.completion import add_completion
        from .completion.shells import prepare

        prepare()
        add_completion(celtop)
    try:
        code = celtop.main(list(arguments), prog_name="celtop", standalone_mode=False)
    except click.ClickException as error:
        # `celtop URL`, without its -b, would print the URL with its password.
        stderr.echo(_without_passwords(error.format_message(), arguments))
        if isinstance(error, click.UsageError) and error.ctx is not None:
            stderr.echo(f"Try `{error.ctx.command_path} --help`.")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    finally:
        _report_damaged_files()
    return code if isinstance(code, int) else ExitCode.OK


def _report_damaged_files() -> None:
    """Print what was found out about celtop's own files, if any were read."""
    if (state_file := sys.modules.get("celtop.files.state_file")) is not None:
        for message in state_file.take_messages():
            stderr.echo(message)


def _without_passwords(message: str, arguments: Sequence[str]) -> str:
    from ..model.text.passwords import mask_text, mask_url

    for argument in arguments:
        if "://" in argument:
            message = message.replace(argument, mask_url(argument))
    return mask_text(message)


def main() -> None:
    """Run the program `celtop`."""
    garbage.put_off()
    for name, mode in (("stdin", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the caller, for example with `2>&-`
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    sys.exit(run(sys.argv[1:]))
