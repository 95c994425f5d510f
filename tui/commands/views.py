"""The command `:view`: saves, opens and deletes views of the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

import msgspec

from ...bindings.actions import VIEWS
from ...files.config_file import InvalidFile
from ...files.views_file import View, delete_view, read_views, save_view
from ..navigation import PAGES, DrillDown, Kind, Location
from .base import Command, CommandError, CommandHost

SCREENS = (*(action.id.removeprefix("view.") for action in VIEWS), *PAGES)


def saved_views() -> tuple[dict[str, View], dict[str, str]]:
    """Return the saved views by name, and why others are invalid.

    Raises:
        CommandError: Their file cannot be read.
    """
    try:
        return read_views()
    except InvalidFile as error:
        raise CommandError(str(error)) from error


def location_of(view: View, name: str = "") -> Location:
    """Return the location that a view shows.

    Raises:
        CommandError: Its screen or subject is unknown.
    """
    if view.screen not in SCREENS:
        known = ", ".join(SCREENS)
        raise CommandError(f"Unknown screen {view.screen} in view {name}; use one of {known}")
    if view.screen in PAGES:
        page = PAGES[view.screen]
        return _charts_of(view, name) if view.subject else Location("overview", (page,))
    return Location(view.screen)


def _charts_of(view: View, name: str) -> Location:
    kind, _, subject = view.subject.partition(":")
    known: dict[str, Kind] = {"queue": "queue", "worker": "worker", "type": "type"}
    if kind not in known or not subject:
        forms = ", ".join(f"{each}:NAME" for each in known)
        raise CommandError(f"Unknown subject {view.subject} in view {name}; use one of {forms}")
    return Location(f"{kind}s", (DrillDown(known[kind], subject), PAGES[view.screen]))


def described(view: View) -> str:
    """Return a view in one line, its order by the title of the column: `tasks by First seen`."""
    from ...lists.context import no_context
    from ...lists.listing import LISTINGS

    listing = LISTINGS.get(view.screen)
    columns = () if listing is None else listing.columns(no_context())
    titles = {column.id: column.title for column in columns}
    return str(msgspec.structs.replace(view, sort=titles.get(view.sort, view.sort)))


def _view(host: CommandHost, argument: str) -> None:
    if not argument and any(saved := saved_views()):
        host.begin(_choose(host, *saved))
        return
    verb, _, name = argument.partition(" ")
    name = name.strip()
    if verb == "save":
        _save(host, name)
    elif verb == "delete":
        _delete(host, name)
    else:
        host.open_view(_existing(argument), argument)


async def _choose(host: CommandHost, views: Mapping[str, View], invalid: Mapping[str, str]) -> None:
    from ..dialogs.menu import Menu

    choices = [(name, name, described(view)) for name, view in views.items()]
    choices += [(name, name, why) for name, why in invalid.items()]
    name = await host.ask(Menu("Open a view", choices, disabled=invalid))
    host.answered()
    if name is not None:
        open_saved(host, name)


def open_saved(host: CommandHost, name: str) -> None:
    """Open a saved view, or show why it cannot be: `--view 'delete x'` deletes nothing."""
    try:
        host.open_view(_existing(name), name)
    except CommandError as error:
        host.say(str(error), "error")


def _existing(name: str) -> View:
    views, invalid = saved_views()
    if name in invalid:
        raise CommandError(invalid[name])
    if name not in views:
        known = f"saved views: {', '.join(views)}" if views else "`:view save NAME` saves this one"
        raise CommandError(f"Unknown view {name}; {known}" if name else f"No saved views; {known}")
    return views[name]


def _save(host: CommandHost, name: str) -> None:
    view = host.shown_view()
    if view is None:
        raise CommandError("This page cannot be saved as a view; go to a list or the Overview")
    try:
        save_view(name, view)
    except (ValueError, InvalidFile) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"Cannot save the view: {error.strerror}") from error
    host.say(f"Saved view {name}: {described(view)}")


def _delete(host: CommandHost, name: str) -> None:
    try:
        if name not in saved_views()[1]:
            _existing(name)
        delete_view(name)
    except InvalidFile as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"Cannot delete the view: {error.strerror}") from error
    host.say(f"Deleted view {name}")


def _arguments(host: CommandHost) -> Iterable[str]:
    try:
        names = list(chain(*saved_views()))
    except CommandError:
        names = []
    return [*names, "save ", *(f"delete {name}" for name in names)]


VIEW_COMMAND = Command(
    "view", "Open, save or delete a saved view", _view, "NAME|save NAME|delete NAME", _arguments
)
