"""`celtop config`: the settings, with the source of each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ...options import CONFIG, Group, given, settings_of
from ...output.schema import schema_option
from ...output.stdout import write

if TYPE_CHECKING:
    from ....settings import Settings


@click.group(cls=Group, no_args_is_help=False)
def config() -> None:
    """Show the settings and where they come from."""


@config.command()
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text",
              show_default=True, help="The output format.")  # fmt: skip
@schema_option("config")
@click.pass_context
def show(ctx: click.Context, format_name: str) -> None:
    """Print each setting with its source; passwords are masked."""
    settings = settings_of(ctx, broker_needed=False)
    write(_as_json(settings) if format_name == "json" else settings_text(settings))


@config.command()
@click.pass_context
def paths(ctx: click.Context) -> None:
    """Print the paths of the config file, saved views, chosen columns and themes."""
    from ....files.columns_file import columns_file
    from ....files.files import config_file, themes_folder
    from ....files.views_file import views_file

    path = given(ctx).get(CONFIG) or os.environ.get("CELTOP_CONFIG") or config_file()
    rows: list[tuple[str, ...]] = [
        ("config", str(path)),
        ("views", str(views_file())),
        ("columns", str(columns_file())),
        ("themes", str(themes_folder())),
    ]
    write(_table(rows))


@config.command()
@click.pass_context
def keys(ctx: click.Context) -> None:
    """List the action ids for [keys], with their current keys."""
    from ....bindings.keymap import Keymap
    from ...keymap import keymap_of

    keymap = Keymap()
    try:
        keymap = keymap_of(settings_of(ctx, broker_needed=False))
    finally:
        # The message about an unknown action refers to this list, so it comes in any case.
        write(_table([(each.id, " ".join(each.keys) or "-", each.help) for each in keymap.actions]))


def _rows(settings: Settings) -> list[tuple[str, Any, str]]:
    """Return name, value and source of each setting, and of each action with other keys."""
    from ...keymap import remapped_actions

    actions = [
        (f"keys.{action.id}", list(action.keys), source)
        for action, source in remapped_actions(settings)
    ]
    fields = [
        (field, settings.masked(field), settings.source(field))
        for field in type(settings).model_fields
        if field != "keys" or not actions
    ]
    return fields + actions


def _as_json(settings: Settings) -> bytes:
    from ....export.config import SCHEMA, ConfigRecord, SettingRecord
    from ....export.encoding.json import encode

    return encode(ConfigRecord(SCHEMA, [SettingRecord(*row) for row in _rows(settings)]))


def settings_text(settings: Settings) -> bytes:
    """Return the settings as a table; passwords are masked."""
    return _table([(name, _text(value), source) for name, value, source in _rows(settings)])


def _table(rows: list[tuple[str, ...]]) -> bytes:
    *widths, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = []
    for *cells, last in rows:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        lines.append("  ".join((*padded, last)) + "\n")
    return "".join(lines).encode()


def _text(value: Any) -> str:
    from ....model.text.sanitize import visible

    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return visible(", ".join(map(str, value))) or "-"
    return visible(str(value)) if value != {} else "-"
