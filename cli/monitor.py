"""Opens the TUI: the only module of the command line that imports Textual."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from .exit_codes import CommandError, ExitCode, InvalidUsage
from .output import stderr

if TYPE_CHECKING:
    from ..recording.session import ReplaySession
    from ..settings import Settings
    from ..tui.app.starting import Prepared, StartingApp

USE_SNAPSHOT = "`celtop snapshot` prints the same data"
ADD_SNAPSHOT = "add --snapshot to print the state at its end"


def open_monitor(
    read: Callable[[], Settings], read_other: Callable[[str], Settings] | None = None
) -> int:
    """Run the monitor until the user quits; return its exit code.

    Args:
        read: Reads the settings; it is called while the first frame is on the screen.
        read_other: Reads those of another cluster that the user chooses.

    Raises:
        InvalidUsage: This terminal cannot show it, a setting is invalid, its broker cannot be
            used, or the view to open is unknown. If the user has chosen the cluster, the previous
            one is opened again instead.
    """
    try:
        require_terminal()
    except InvalidUsage:
        read()  # an error in the settings comes first
        raise
    problem = ""
    back: Settings | None = None
    while True:
        app = _run(partial(_prepare, read, problem))
        try:
            code, other = _exit_code(app), app.return_value
        except CommandError as error:
            if back is None:
                raise
            # The cluster that was chosen cannot be monitored: return to the one before.
            problem, read, back = error.format_message(), partial(_same, back), None
            continue
        if other is None or read_other is None:
            return code
        problem, read, back = "", partial(read_other, other), app.context.settings


def _same(settings: Settings) -> Settings:
    return settings


def open_replay(replay: ReplaySession) -> int:
    """Run the monitor on a recording until the user quits; return its exit code.

    Raises:
        InvalidUsage: This terminal cannot show it, or the view to open is unknown.
    """
    require_terminal(ADD_SNAPSHOT)
    settings = replay.settings
    if settings.view:
        require_view(settings.view, settings.source("view"))
    return _exit_code(_run(partial(_prepare_replay, replay)))


def _run(prepare: Callable[[], Prepared]) -> StartingApp:
    """Run the app until it ends, and return it."""
    from ..tui.app.starting import StartingApp

    if not sys.stderr.isatty():
        # Textual draws on `sys.__stderr__`, which `2>file` turns into a log.
        setattr(sys, "__stderr__", sys.__stdout__)  # noqa: B010
    app = StartingApp(prepare)
    app.run(mouse=False)  # until the settings are known
    return app


def _exit_code(app: StartingApp) -> int:
    """Return the exit code of an app that has ended.

    Raises:
        InvalidUsage: It could not start.
    """
    if app.error is not None:
        raise app.error
    if app.is_set_up:
        for warning in app.context.settings.warnings:
            stderr.echo(warning)  # the screen has covered what was printed earlier
    if app.return_code == ExitCode.USAGE:
        from .session import unusable

        broker = app.context.live.broker
        raise unusable(broker.url, broker.fault)
    return app.return_code or ExitCode.OK


def _prepare(read: Callable[[], Settings], problem: str = "") -> Prepared:
    """Read the settings, and import what the first screen needs; `problem` is shown on it."""
    settings = read()
    if settings.view:
        require_view(settings.view, settings.source("view"))
    require_usable_url(settings)
    from ..cluster.session import Session
    from ..files.acknowledgements import Acknowledgements
    from ..tui.app.starting import Prepared, import_first_screen
    from ..tui.seen_hints import SeenHints
    from .keymap import keymap_of

    import_first_screen()
    session = Session(settings)
    session.history.keep()
    session.history.read()
    return Prepared(
        session,
        settings,
        keymap_of(settings),
        SeenHints.of_user() if settings.hints else SeenHints(None),
        Acknowledgements.of_user(cluster_name(settings)),
        problem=problem,
    )


def _prepare_replay(replay: ReplaySession) -> Prepared:
    from ..files.acknowledgements import Acknowledgements
    from ..tui.app.starting import Prepared, import_first_screen
    from ..tui.seen_hints import SeenHints
    from .keymap import keymap_of

    import_first_screen()
    settings = replay.settings
    # Hints and acknowledgements are about the clusters of today.
    own = SeenHints(None), Acknowledgements(None)
    return Prepared(replay, settings, keymap_of(settings), *own, replay)


def cluster_name(settings: Settings) -> str:
    """Return the name under which a user's choices for a cluster are kept."""
    prefix = settings.broker_transport_options.get("global_keyprefix") or ""
    return f"{settings.masked('broker_url')} {prefix}".rstrip()


def require_terminal(advice: str = USE_SNAPSHOT) -> None:
    """Refuse to start without a terminal; `advice` is what to do then.

    Raises:
        InvalidUsage: stdin or stdout is not a terminal, or its cursor cannot be moved.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidUsage(f"The monitor needs a terminal; {advice}")
    if (term := os.environ.get("TERM", "")) in ("dumb", "unknown"):
        raise InvalidUsage(f"This terminal (TERM={term}) cannot show the monitor; {advice}")


def require_usable_url(settings: Settings) -> None:
    """Refuse to start with a broker URL that can never be used.

    Raises:
        InvalidUsage: Its transport or one of its options is unknown, or a driver is missing.
    """
    from ..cluster.connection.faults.diagnosis import url_fault
    from ..model.text.passwords import mask_url
    from .session import unusable

    if (fault := url_fault(settings)) is not None:
        raise unusable(mask_url(settings.broker_url), fault)


def require_view(name: str, source: str) -> None:
    """Refuse to start with a saved view that cannot be opened.

    Raises:
        InvalidUsage: It is unknown or invalid, or the file of views cannot be read.
    """
    from ..files.config_file import InvalidFile
    from ..files.views_file import read_views, views_file

    try:
        views, invalid = read_views()
    except InvalidFile as error:
        raise InvalidUsage(str(error)) from error
    if name in invalid:
        raise InvalidUsage(invalid[name])
    if name not in views:
        known = f"saved views: {', '.join(views)}" if views else f"{views_file()} has none"
        raise InvalidUsage(f"Unknown view {name!r} ({source}); {known}")
