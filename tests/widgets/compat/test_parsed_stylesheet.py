"""Each source is parsed once, and a new screen has the styles of its own sheet and of the theme."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from celtop.widgets.compat.parsed_stylesheet import ParsedStylesheet
from celtop.widgets.compat.textual_internals import FrugalApp
from textual.app import ComposeResult
from textual.color import Color
from textual.css import stylesheet
from textual.css.model import RuleSet
from textual.css.parse import parse
from textual.screen import Screen
from textual.widgets import Static


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
