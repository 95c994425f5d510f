"""Each source is parsed once, and a new screen has the styles of its own sheet and of the theme."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from celtop.widgets.compat.parsed_stylesheet import ParsedStylesheet
from celtop.widgets.compat.textual_internals import FrugalApp
from textual.app import ComposeResult
from textual.color import Color
from textual.containers import Vertical
from textual.css import stylesheet
from textual.css.model import RuleSet
from textual.css.parse import parse
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input, Static


def test_sources_are_parsed_again_only_with_other_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[str] = []

    def counted(scope: str, css: str, *args: object, **options: object) -> Iterable[RuleSet]:
        parsed.append(css)
        return parse(scope, css, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(stylesheet, "parse", counted)
    sheet = ParsedStylesheet(variables={"mine": "red"})
    for number in range(100):
        sheet.add_source(f"#n{number} {{ color: $mine; }}", ("f", str(number)))
    assert len(sheet.rules) == 100
    assert len(parsed) == 100
    sheet.add_source("#more { color: $mine; }", ("f", "more"))
    assert len(sheet.rules) == 101
    sheet.reparse()
    sheet.set_variables({"mine": "red"})
    sheet.reparse()
    assert len(parsed) == 101
    sheet.set_variables({"mine": "blue"})
    sheet.reparse()
    assert {rule.styles.color for rule in sheet.rules} == {Color.parse("blue")}


class Styled(Screen[None]):
    """A screen with its own style sheet."""

    def compose(self) -> ComposeResult:
        yield Static("text", id="styled")


class Screens(FrugalApp):
    """Two modes, one of which has a screen of its own."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        Styled.CSS_PATH = str(path)
        self.add_mode("first", Screen)
        self.add_mode("second", Styled)


async def test_a_new_screen_has_its_own_styles_and_later_those_of_another_theme(
    tmp_path: Path,
) -> None:
    path = tmp_path / "styled.tcss"
    path.write_text("Styled { padding: 1 2; } #styled { color: $primary; height: 3; }")
    app = Screens(path)
    async with app.run_test() as pilot:
        app.theme = "textual-dark"
        await app.switch_mode("first")
        await app.switch_mode("second")
        await pilot.pause()
        styled = app.screen.query_one("#styled")
        assert app.screen.styles.padding.width == 4
        assert styled.size.height == 3
        before = styled.styles.color
        assert before == Color.parse(app.theme_variables["primary"])
        await app.switch_mode("first")
        app.theme = "gruvbox"
        await pilot.pause()
        await app.switch_mode("second")
        await pilot.pause()
        assert styled.styles.color == Color.parse(app.theme_variables["primary"]) != before


class Parts(Screen[None]):
    """Widgets whose styles depend on all that selectors can match."""

    CSS = """
    .inside Static { color: red; }
    Static { color: blue; height: 50%; &.-marked { color: lime; } }
    #named { color: yellow; }
    Vertical:focus-within Static { color: fuchsia; }
    """

    def compose(self) -> ComposeResult:
        yield Vertical(Static(), id="plain")
        yield Vertical(Static(), id="other", classes="inside")
        yield Vertical(Static(classes="-marked"))
        yield Vertical(Static(id="named"))
        yield Vertical(Input(), id="focused")


async def test_a_new_widget_is_styled_like_one_that_every_selector_matches_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = FrugalApp()
    matched: list[object] = []
    check = Stylesheet._check_rule

    def noted(rule: RuleSet, path: list[DOMNode]) -> object:
        matched.append(path[-1])
        return check(rule, path)

    async with app.run_test() as pilot:
        for _ in range(3):
            await app.push_screen(Parts())
            await pilot.pause()
            matched.clear()
            with monkeypatch.context() as patched:
                patched.setattr(Stylesheet, "_check_rule", staticmethod(noted))
                await app.screen.mount(Vertical(Static(), id="plain-too"))
                await app.screen.query_one("#other").mount(Static())
                await app.screen.query_one("#focused").mount(Static())
            seen = [(each.id, each.styles.color.hex) for each in app.screen.query(Static)]
            assert seen == [
                (None, "#0000FF"),
                (None, "#FF0000"),
                (None, "#FF0000"),
                (None, "#00FF00"),
                ("named", "#FFFF00"),
                (None, "#FF00FF"),
                (None, "#0000FF"),
            ]
            heights = {str(each.styles.height) for each in app.screen.query(Static)}
            assert heights == {"50h"}
        assert matched == []
