"""The themes of celtop (dark, light, high contrast), and those that users add as files.

The state colours are those of the Django admin and Flower.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from ...files.files import themes_folder

TERMINAL_COLOURS: Final = "ansi-dark"
"""The theme in the terminal's own 16 colours; with NO_COLOR, text attributes alone are left."""

CELTOP_DARK: Final = Theme(
    name="celtop-dark",
    primary="#5fafff",
    secondary="#af87ff",
    accent="#5fd7d7",
    success="#5fd787",
    warning="#ffaf5f",
    error="#ff5f5f",
    foreground="#d7dae0",
    background="#0f1218",
    surface="#0f1218",
    panel="#1b2029",
    dark=True,
    variables={
        "text-muted": "#8791a3",
        "text-disabled": "#5c6675",
        "block-cursor-background": "#24405f",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#1b2433",
        "block-cursor-text-style": "none",
        "border": "#5fafff",
        "border-blurred": "#303846",
        "scrollbar": "#303846",
        "scrollbar-background": "#12161d",
        "input-selection-background": "#5fafff 35%",
    },
)

CELTOP_LIGHT: Final = Theme(
    name="celtop-light",
    primary="#005faf",
    secondary="#7a3fc0",
    accent="#00737a",
    success="#1a7f37",
    warning="#a85b00",
    error="#c0242c",
    foreground="#22262e",
    background="#fbfbfa",
    surface="#fbfbfa",
    panel="#eceef1",
    dark=False,
    variables={
        "text-error": "#c0242c",  # Textual's own is almost as brown as that of warnings
        "text-muted": "#5f6774",
        "text-disabled": "#8a919c",
        "block-cursor-background": "#cfe3fb",
        "block-cursor-foreground": "#000000",
        "block-cursor-blurred-background": "#e6edf5",
        "block-cursor-text-style": "none",
        "border-blurred": "#c4c9d1",
    },
)

CELTOP_HIGH_CONTRAST: Final = Theme(
    name="celtop-high-contrast",
    primary="#8fd0ff",
    secondary="#dcc2ff",
    accent="#5ff5f5",
    success="#6dff9a",
    warning="#ffd75f",
    error="#ff9c94",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1d24",
    dark=True,
    variables={
        "text": "#ffffff",
        "text-muted": "#d0d6e0",
        "text-disabled": "#c2c9d4",
        "text-primary": "#8fd0ff",
        "text-secondary": "#dcc2ff",
        "text-accent": "#5ff5f5",
        "text-success": "#6dff9a",
        "text-warning": "#ffd75f",
        "text-error": "#ff9c94",
        "frame": "#8b95a5",
        "state-started": "#9ecbff",
        "state-retry": "#d9bcff",
        "block-cursor-background": "#07294a",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#1c2430",
        "block-cursor-text-style": "bold",
        "border": "#8fd0ff",
        "border-blurred": "#8b95a5",
        "scrollbar": "#8b95a5",
        "scrollbar-background": "#1a1d24",
        "input-selection-background": "#07294a",
    },
)
"""All texts and colours of states have at least 7:1 on all backgrounds, as WCAG AAA asks."""

CELTOP_THEMES: Final = (CELTOP_DARK, CELTOP_LIGHT, CELTOP_HIGH_CONTRAST)

MIN_CONTRAST: Final = 3.0
"""The ratio that WCAG 2.1 asks of graphics and large text."""
_TEXTS: Final = ("primary", "secondary", "accent", "success", "warning", "error")
_IN_16_COLOURS: Final = {
    "primary": ("#5555ff", "#0000aa"),
    "secondary": ("#ff55ff", "#aa00aa"),
    "accent": ("#55ffff", "#00aaaa"),
    "success": ("#55ff55", "#00aa00"),
    "warning": ("#ffff55", "#aa5500"),
    "error": ("#ff5555", "#aa0000"),
    "disabled": ("#aaaaaa", "#555555"),
}
"""The texts of dark and of light themes, in the colours that rich has for the 16 of terminals."""
_GREY_STEPS: Final = 20
"""Steps between a colour and black or white."""

_ALPHA: Final = re.compile(r"(?P<colour>.*?)(?: +(?P<percent>\d{1,3})%)?", re.DOTALL)
_STYLES: Final = frozenset({"none", "bold", "dim", "italic", "reverse", "strike", "underline"})
_TYPES: Final = {"dark": bool, "ansi": bool, "luminosity_spread": float, "text_alpha": float}
_FIELDS: Final = frozenset(field.name for field in fields(Theme)) - {"name"}


def readable(variables: Mapping[str, str]) -> dict[str, str]:
    """Return a theme's variables in which the texts can be read on all backgrounds of the screen.

    The frames of panes are faint, unless the theme has a colour for them.

    Textual derives the colours of texts from the background alone: on the panels of some light
    themes they are too faint. Colours of the terminal are left as they are.
    """
    colours = {"frame": f"{variables['foreground']} 30%", **variables}
    background = _colour(colours["background"])
    if background.ansi is not None:
        return colours
    row = background + _colour(colours["block-cursor-blurred-background"])
    behind: tuple[Color, ...] = background, background + _colour(colours["panel"]), row
    for name in (f"text-{text}" for text in _TEXTS):
        colours[name] = _legible(background + _colour(colours[name]), behind).hex
    cursor = colours["block-cursor-foreground"]
    if not cursor.startswith("auto"):
        under = background + _colour(colours["block-cursor-background"])
        colours["block-cursor-foreground"] = _legible(under + _colour(cursor), (under,)).hex
    return colours


def in_16_colours(variables: Mapping[str, str], *, dark: bool) -> dict[str, str]:
    """Return a theme's variables for a terminal of 16 colours.

    Its pale reds would become white, and its faintest texts the colour behind them.
    """
    if _colour(variables["background"]).ansi is not None:
        return dict(variables)
    texts = {f"text-{text}": shades[not dark] for text, shades in _IN_16_COLOURS.items()}
    return {**variables, **texts}


def _colour(value: str) -> Color:
    """Return the colour of a variable, such as `red` or `red 35%`.

    Raises:
        ColorParseError: It is no colour.
    """
    match = _ALPHA.fullmatch(value)
    assert match is not None  # its parts may be empty
    colour = Color.parse(match["colour"])
    return (
        colour if match["percent"] is None else colour.multiply_alpha(int(match["percent"]) / 100)
    )


def _legible(text: Color, behind: Sequence[Color]) -> Color:
    """Return a colour, moved towards black or white until it stands out from its backgrounds."""
    target = behind[0].get_contrast_text(1.0)
    steps = (text.blend(target, step / _GREY_STEPS) for step in range(_GREY_STEPS))
    return next((one for one in steps if _contrast(one, behind) >= MIN_CONTRAST), target)


def _contrast(text: Color, behind: Sequence[Color]) -> float:
    """Return the lowest contrast ratio of a text on backgrounds, by WCAG 2.1."""
    ratios = []
    for each in behind:
        dark, light = sorted((_luminance(text), _luminance(each)))
        ratios.append((light + 0.05) / (dark + 0.05))
    return min(ratios)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def user_themes() -> tuple[list[Theme], dict[str, str]]:
    """Return the user's themes, and why others cannot be used, by name, each with the line."""
    from ...files.config_file import InvalidFile

    themes, invalid = [], {}
    for path in sorted(themes_folder().glob("*.toml")):
        try:
            themes.append(_read_theme(path))
        except InvalidFile as error:
            invalid[path.stem] = str(error)
    return themes, invalid


def _read_theme(path: Path) -> Theme:
    """Return the theme of a file.

    Raises:
        InvalidFile: It cannot be read, or a field is unknown or invalid. A theme with an invalid
            colour would end the app when it is first used.
    """
    from ...files.config_file import InvalidFile, read_or_explain

    values, lines = read_or_explain(path)
    variables = values.get("variables", {})
    flat = {**values, **{f"variables.{name}": value for name, value in _table(variables).items()}}
    for name, value in flat.items():
        if why := _problem(name, value):
            raise InvalidFile(f"Invalid theme {path}, line {lines[name]}: {name}: {why}")
    if "primary" not in values:
        raise InvalidFile(f"Invalid theme {path}: primary is missing; it is the main colour")
    if values.get("ansi"):
        base = BUILTIN_THEMES["ansi-dark" if values.get("dark", True) else "ansi-light"]
        values["variables"] = {**base.variables, **variables}
    theme = Theme(path.stem, **values)
    try:
        theme.to_color_system().generate()
    except (ValueError, ArithmeticError) as error:
        text = f"Invalid theme {path}: its colours cannot be derived: {error}"
        raise InvalidFile(text) from error
    return theme


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _problem(name: str, value: Any) -> str | None:
    """Return why a field cannot have a value; None if it can."""
    field, _, variable = name.partition(".")
    if field not in _FIELDS:
        return f"unknown field; use {', '.join(sorted(_FIELDS))}"
    if kind := _TYPES.get(field):
        valid = type(value) is kind or (kind is float and type(value) is int)
        return None if valid else "must be true or false" if kind is bool else "must be a number"
    if name == "variables":
        return None if isinstance(value, dict) else "must be a table"
    if not isinstance(value, str):
        return "must be a string"
    if variable.endswith("style"):
        valid = set(value.split()) <= _STYLES
        return None if valid else f"unknown style {value!r}; use {', '.join(sorted(_STYLES))}"
    try:
        (_colour if variable else Color.parse)(value)
    except ColorParseError:
        return f"{value!r} is not a colour; write '#5fafff', 'ansi_blue' or 'red'"
    return None
