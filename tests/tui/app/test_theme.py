"""Themes of the user, files beside the config file; and whether all themes can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from celtop.files.files import themes_folder
from celtop.tests.tui.app_under_test import run_app
from celtop.tests.tui.fake_session import cluster
from celtop.tests.widgets.screen_text import screen_strips
from celtop.tui.app.theme import (
    CELTOP_DARK,
    CELTOP_HIGH_CONTRAST,
    CELTOP_LIGHT,
    CELTOP_THEMES,
    in_16_colours,
    readable,
    user_themes,
)
from celtop.tui.dialogs.menu import Menu
from celtop.tui.navigation import Location
from celtop.widgets.colours import COLOURS, STATE_COLOURS
from celtop.widgets.tile import Tile
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme
from textual.widgets import Input, OptionList

THEME = """\
primary = "#ff8800"
dark = true
luminosity_spread = 1

[variables]
border = "red 35%"
block-cursor-text-style = "bold reverse"
"""


BACKGROUNDS = ("background", "panel", "block-cursor-blurred-background")


def ratio(text: Color, behind: Color) -> float:
    """Return the contrast ratio by WCAG 2.1."""

    def luminance(colour: Color) -> float:
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (colour.r / 255, colour.g / 255, colour.b / 255)
        ]
        return float(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])

    dark, light = sorted((luminance(text), luminance(behind)))
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(autouse=True)
def _config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def write(name: str, text: str) -> None:
    themes_folder().mkdir(parents=True, exist_ok=True)
    (themes_folder() / f"{name}.toml").write_text(text)


async def test_a_theme_is_a_file() -> None:
    write("mine", THEME)
    write("broken", "primary = 'blu'")
    async with run_app(cluster(5), theme="mine") as on:
        assert on.app.theme == "mine"
        assert on.app.current_theme.primary == "#ff8800"
        (said,) = on.said
        assert "broken.toml, line 1: primary: 'blu' is not a colour" in said


async def test_a_refused_theme_is_explained_again_and_used_once_it_is_valid() -> None:
    write("mine", "primary = 'blu'")
    async with run_app(cluster(5), theme="mine") as on:
        assert on.app.theme == "celtop-dark"
        (why,) = on.said
        assert "mine.toml, line 1: primary: 'blu' is not a colour" in why
        on.app.run_command("theme mine")
        assert on.said == [why, why]
        write("mine", "primary = 'blue'\ndrak = true")
        on.app.run_command("theme mine")
        assert "mine.toml, line 2: drak: unknown field" in on.said[-1]
        write("mine", "primary = 'blue'")
        on.app.run_command("theme mine")
        assert on.app.theme == "mine" and len(on.said) == 3


async def test_an_unknown_theme_is_reported() -> None:
    async with run_app(cluster(5), theme="nrod") as on:
        assert on.app.theme == "celtop-dark"
        assert on.said == ["Unknown theme nrod (default); `:theme` lists all"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("primary = 1", "line 1: primary: must be a string"),
        ("primary = 'red'\nprimry = 'red'", "line 2: primry: unknown field; use accent"),
        ("primary = 'red'\n\ndark = 1", "line 3: dark: must be true or false"),
        ("primary = 'red'\ntext_alpha = 'x'", "line 2: text_alpha: must be a number"),
        ("primary = 'red'\nvariables = 1", "line 2: variables: must be a table"),
        (THEME.replace("red 35%", "red;x"), "line 6: variables.border: 'red;x' is not a colour"),
        (THEME.replace("bold", "bald"), "line 7: variables.block-cursor-text-style: unknown style"),
        ("primary = 'red'\nluminosity_spread = nan", "its colours cannot be derived"),
        ("primary = 'red'\nluminosity_spread = 1e300", "its colours cannot be derived"),
        ("dark = true", "primary is missing"),
        ("primary = ", "invalid TOML"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(text: str, problem: str) -> None:
    write("mine", text)
    themes, invalid = user_themes()
    assert not themes
    assert problem in invalid["mine"]


async def test_a_theme_in_the_terminals_colours_gets_what_it_leaves_out() -> None:
    write("mine", "primary = 'ansi_red'\nansi = true")
    async with run_app(cluster(5), theme="mine") as on:
        assert on.app.theme == "mine"


TRANSPARENT = """
primary = "red"
{ansi}
[variables]
text-error = "{red} 60%"
panel = "blue 20%"
block-cursor-foreground = "white 90%"
block-cursor-background = "blue 50%"
block-cursor-blurred-background = "blue 30%"
"""


@pytest.mark.parametrize(("ansi", "red"), [("", "red"), ("ansi = true", "ansi_red")])
async def test_variables_may_be_partly_transparent(ansi: str, red: str) -> None:
    write("mine", TRANSPARENT.format(ansi=ansi, red=red))
    async with run_app(cluster(5), Location("tasks"), theme="mine") as on:
        assert on.app.theme == "mine" and not on.said
        await on.press("/", *"nam:x ")
        await on.until(lambda: "nam:x" in on.text)
        (error,) = (
            segment.style
            for strip in screen_strips(on.app)
            for segment in strip
            if "nam:x" in segment.text and segment.style is not None
        )
        assert error.underline and error.color is not None
        if ansi:
            assert error.color == RichColor.parse("color(1)")
        else:
            found = Color.from_rich_color(error.color)
            assert found.r > found.g + 50 and found.r > found.b + 50
            assert ratio(found, Color.parse(on.app.theme_variables["background"])) >= 3


@pytest.mark.parametrize(
    "theme",
    [one for one in (*CELTOP_THEMES, *BUILTIN_THEMES.values()) if not one.ansi],
    ids=lambda theme: theme.name,
)
def test_texts_stand_out_from_all_backgrounds(theme: Theme) -> None:
    found = readable({**theme.to_color_system().generate(), **theme.variables})
    colour = {name: Color.parse(value) for name, value in found.items() if name in BACKGROUNDS}
    background = colour["background"]
    for name in BACKGROUNDS:
        behind = background + colour[name]
        for text in ("warning", "error", "success", "accent", "primary"):
            assert ratio(Color.parse(found[f"text-{text}"]), behind) >= 3, (text, name)
    for state in ("started", "retry"):
        colour_of_state = {**STATE_COLOURS, **found}[f"state-{state}"]
        assert ratio(Color.parse(colour_of_state), background) >= 3, state
    if not (cursor := found["block-cursor-foreground"]).startswith("auto"):
        behind = background + Color.parse(found["block-cursor-background"])
        assert ratio(Color.parse(cursor), behind) >= 3


@pytest.mark.parametrize("theme", CELTOP_THEMES, ids=lambda theme: theme.name)
def test_errors_are_a_stronger_red_than_warnings(theme: Theme) -> None:
    found = readable({**theme.to_color_system().generate(), **theme.variables})
    error, warning = (Color.parse(found[f"text-{name}"]) for name in ("error", "warning"))
    hues = [colour.hsv.h * 360 for colour in (error, warning)]
    assert min(hues[0], 360 - hues[0]) < 10 and 25 < hues[1] < 60
    assert error.hsv.v > 0.7


HIGH_CONTRAST = 7.0
GRAPHICS = 3.0
CURSOR_BACKGROUNDS = ("surface", "block-cursor-background", "input-selection-background")


def test_texts_and_states_of_the_high_contrast_theme_stand_out_from_all_backgrounds() -> None:
    theme = CELTOP_HIGH_CONTRAST
    found = readable({**STATE_COLOURS, **theme.to_color_system().generate(), **theme.variables})
    styles = {
        style.removeprefix("$") for style in COLOURS.values() if style and not style.endswith("%")
    }
    texts = styles | {"foreground", "text", "text-disabled", "block-cursor-foreground"}
    texts |= {"primary", "secondary", "accent", "success", "warning", "error"}
    assert {"state-started", "state-retry", "text-error", "text-muted"} <= texts
    for name in (*BACKGROUNDS, *CURSOR_BACKGROUNDS):
        behind = Color.parse(found["background"]) + Color.parse(found[name])
        for text in texts:
            assert ratio(Color.parse(found[text]), behind) >= HIGH_CONTRAST, (text, name)


async def test_the_frames_of_the_high_contrast_theme_stand_out() -> None:
    async with run_app(cluster(4), theme="celtop-high-contrast") as on:
        pane = next(iter(on.screen.query(Tile)))
        (kind, colour), *_ = pane.styles.border
        assert kind == "round"
        for name in BACKGROUNDS:
            behind = Color.parse(on.app.theme_variables[name])
            assert ratio(colour, behind) >= GRAPHICS, name


SCREENS = {
    "overview": ("1",),
    "task list": ("2", "j", "space", "j", "j"),
    "filter": ("2", "/", *"nam:x stat"),
    "task": ("2", *"/state:failure", "enter", "enter"),
    "failures": ("e",),
    "charts": ("c", "left"),
    "worker": ("3", "enter"),
    "queues": ("4",),
    "findings": ("8",),
    "help": ("2", "?"),
    "palette": ("2", "ctrl+p", "a"),
    "operations": ("2", "A"),
    "confirmation": ("2", *"/state:running", "enter", "K"),
    "form": ("5", "t"),
}


@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS)
async def test_all_letters_on_screen_have_a_high_contrast(keys: tuple[str, ...]) -> None:
    async with run_app(cluster(30), theme=CELTOP_HIGH_CONTRAST.name) as on:
        await on.press(*keys)
        await on.pilot.pause(0.5)
        dialogs = on.app.screen.query("#box, CommandList")  # the screen behind them is dimmed
        region = dialogs.first().region if dialogs else on.app.screen.region
        letters = 0
        for strip in screen_strips(on.app)[region.y : region.bottom]:
            for segment in strip.crop(region.x, region.right):
                style = segment.style
                if style is None or not any(map(str.isalnum, segment.text)):
                    continue
                assert style.color is not None and style.bgcolor is not None, segment
                text, behind = (Color.from_rich_color(one) for one in (style.color, style.bgcolor))
                assert not style.dim and ratio(text, behind) >= HIGH_CONTRAST, segment
                letters += len(segment.text)
        assert letters > 100


@pytest.mark.parametrize("theme", [CELTOP_DARK, CELTOP_LIGHT, BUILTIN_THEMES["nord"]])
def test_states_keep_their_hue_in_16_colours(theme: Theme) -> None:
    found = in_16_colours(theme.to_color_system().generate(), dark=theme.dark)
    numbers = {
        text: RichColor.parse(found[f"text-{text}"]).downgrade(ColorSystem.STANDARD).number
        for text in ("error", "success", "warning")
    }
    expected = {"error": 1, "success": 2, "warning": 3}
    bright = 8 if theme.dark else 0
    assert numbers == {text: number + bright for text, number in expected.items()}


@pytest.mark.parametrize("theme", CELTOP_THEMES, ids=lambda theme: theme.name)
def test_faint_texts_are_not_the_colour_behind_them_in_16_colours(theme: Theme) -> None:
    generated = {**theme.to_color_system().generate(), **theme.variables}
    variables = in_16_colours(generated, dark=theme.dark)

    def shown(colour: Color) -> Color:
        return Color(*colour.rich_color.downgrade(ColorSystem.STANDARD).get_truecolor())

    background, panel = (Color.parse(variables[name]) for name in ("background", "panel"))
    typed_into = panel + Color.parse(variables["foreground"]).with_alpha(0.05)
    for text in ("text-disabled", "text-muted"):
        colour = shown(Color.parse(variables[text]))
        for behind in (background, panel, typed_into):
            assert ratio(colour, shown(behind)) >= 2, text


async def test_a_chosen_theme_is_readable_at_once_also_in_bars() -> None:
    async with run_app(cluster(5), theme="celtop-dark") as on:
        on.app.theme = "textual-light"
        await on.pilot.pause()
        generated = {**STATE_COLOURS, **on.app.current_theme.to_color_system().generate()}
        assert on.app.theme_variables == readable(generated) != generated


async def test_without_colours_the_cursor_of_menus_and_inputs_is_visible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with run_app(cluster(3), Location("tasks")) as on:
        await on.press("A")
        menu = (await on.dialog(Menu)).query_one(OptionList)
        assert menu.get_visual_style("option-list--option-highlighted").underline
        assert on.app.screen.styles.background.a == 0, "the list behind it stays visible"
        await on.press("escape", "/")
        typed = on.screen.query_one(Input)
        assert typed.get_component_rich_style("input--cursor").reverse


async def test_without_colours_the_worst_problems_are_bold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with run_app(cluster(30), Location("queues")) as on:
        await on.press("j")
        await on.until(lambda: "no consumers" in on.text)
        styles = {
            segment.text.strip(): segment.style
            for strip in screen_strips(on.app)
            for segment in strip
        }
        bad, other = styles["notifications"], styles["celery"]
        assert bad is not None and other is not None
        assert bad.bold and not other.bold
        assert bad.color == other.color == RichColor.default()
