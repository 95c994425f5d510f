"""celtop's command line: the group, its commands, and the two ways in (`celtop`, `celery top`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Final

import click

from .. import __version__
from .exit_codes import ExitCode
from .monitor import open_monitor
from .options import Command, Group, give, settings_of
from .stderr import say

COMMANDS: Final = (
    *("config", "control", "demo", "purge", "retry", "revoke", "snapshot", "task", "trigger"),
    "watch",
)
"""Each is in a module of its name."""

EPILOG = """\b
A setting is taken from the first of: flags, environment (CELTOP_*, then
CELERY_BROKER_URL and CELERY_RESULT_BACKEND), config file, the app, default.

\b
Exit codes: 0 good, 1 the answer is no, 2 usage, 3 broker unreachable,
4 timeout, 130 interrupted."""


class Commands(Mapping[str, click.Command]):
    """The commands by name, each loaded when it is asked for: the first frame needs none."""

    def __getitem__(self, name: str) -> click.Command:
        if name not in COMMANDS:
            raise KeyError(name)
        command: click.Command = getattr(import_module(f"{__package__}.commands.{name}"), name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@click.group(
    cls=Group,
    commands=Commands(),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="celtop", message="%(prog)s %(version)s")
@click.pass_context
def celtop(ctx: click.Context) -> int | None:
    """A terminal monitor for Celery.

    Without a command it opens the monitor on this terminal. A broker's URL is all that it needs.
    """
    return open_monitor(settings_of(ctx)) if ctx.invoked_subcommand is None else None


@click.command(cls=Command)
@click.pass_context
def top(ctx: click.Context) -> None:
    """Open celtop, the terminal monitor, on this app's broker.

    Celery itself has loaded the app: it need not be asked in a process of its own.
    """
    from ..cluster.app_probe import configuration

    app = ctx.obj.app
    give(ctx, "app", app.main or "of celery -A")
    ctx.exit(open_monitor(settings_of(ctx, describe=lambda *_: configuration(app))))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; failures are told on stderr."""
    try:
        code = celtop.main(list(arguments), prog_name="celtop", standalone_mode=False)
    except click.ClickException as error:
        from ..settings import mask_url

        # `celtop URL` without its -b would else print the URL, with its password.
        say(mask_url(error.format_message()))
        if isinstance(error, click.UsageError) and error.ctx is not None:
            say(f"`{error.ctx.command_path} --help` tells more")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    return code if isinstance(code, int) else ExitCode.OK


def main() -> None:
    """Be the program `celtop`."""
    sys.exit(run(sys.argv[1:]))
