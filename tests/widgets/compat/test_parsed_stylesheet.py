"""Each source is parsed once, and a new screen has the styles of its own sheet and of the theme."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
    """Containers in which the same widget has other styles."""

    CSS = """
    Static { color: $primary; height: 50%; &.-marked { color: lime; padding: 1; } }
    Static.hot:hover { color: aqua; }
    .inside Static { color: red; }
    #named { color: yellow; }
    #box Static { color: maroon; }
    Vertical:focus-within Static { color: fuchsia; }
    """

    def compose(self) -> ComposeResult:
        yield Vertical()
        yield Vertical(classes="inside")
        yield Vertical(id="box")
        yield Vertical(Input())


async def test_a_new_widget_is_styled_like_one_that_every_selector_matches_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = FrugalApp()
    matched: list[object] = []
    check = Stylesheet._check_rule

    def noted(rule: RuleSet, path: list[DOMNode]) -> object:
        matched.append(path[-1])
        return check(rule, path)

    monkeypatch.setattr(Stylesheet, "_check_rule", staticmethod(noted))
    async with app.run_test() as pilot:
        await app.push_screen(Parts())
        await pilot.pause()
        plain, inside, box, focused = app.screen.query(Vertical)
        for theme in ("textual-dark", "gruvbox"):
            app.theme = theme
            await pilot.pause()
            primary = Color.parse(app.theme_variables["primary"])
            for number in range(2):
                matched.clear()
                new = [
                    (plain, Static(), primary),
                    (plain, Static(classes="-marked"), Color.parse("lime")),
                    (plain, Static(id="named"), Color.parse("yellow")),
                    (plain, Static(classes="hot"), primary),
                    (inside, Static(), Color.parse("red")),
                    (box, Static(), Color.parse("maroon")),
                    (focused, Static(), Color.parse("fuchsia")),
                ]
                for place, widget, _ in new:
                    await place.mount(widget)
                assert [widget.styles.color for _, widget, _ in new] == [each[2] for each in new]
                assert {str(widget.styles.height) for _, widget, _ in new} == {"50h"}
                assert [widget._has_hover_style for _, widget, _ in new[:4]] == [False] * 3 + [True]
                assert (not matched) == bool(number)
                await app.screen.query(Static).remove()
        app.stylesheet.add_source("Static.hot { color: orange; }", ("later", ""))
        hot = Static(classes="hot")
        await plain.mount(hot)
        assert hot.styles.color == Color.parse("orange")


async def test_a_widget_that_is_styled_again_before_it_is_mounted_has_no_styles_of_before() -> None:
    app = FrugalApp()
    async with app.run_test() as pilot:
        await app.push_screen(Parts())
        await pilot.pause()
        await app.screen.query(Vertical).first().mount(Static(), Static(classes="-marked"))
        widget = Static(classes="-marked")
        mounting = app.screen.query(Vertical).first().mount(widget)
        assert widget.styles.padding.width == 2 and not widget._is_mounted
        widget.remove_class("-marked", update=False)
        app.stylesheet.apply(widget)
        assert widget.styles.padding.width == 0
        await mounting


async def test_a_styled_widget_has_the_rules_of_a_source_that_was_just_added() -> None:
    app = FrugalApp()
    async with app.run_test():
        assert app.screen.styles.padding.width == 0
        app.stylesheet.add_source("Screen { padding: 1 2; }", ("new", ""), is_default_css=False)
        app.stylesheet.apply(app.screen)
        assert app.screen.styles.padding.width == 4


async def test_a_mounted_widget_is_styled_again_as_one_was_that_every_selector_matches_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = FrugalApp()
    applied: list[DOMNode] = []
    apply = Stylesheet.apply

    def noted(sheet: Stylesheet, node: DOMNode, **options: Any) -> None:
        applied.append(node)
        apply(sheet, node, **options)

    monkeypatch.setattr(Stylesheet, "apply", noted)
    async with app.run_test() as pilot:
        await app.push_screen(Parts())
        await pilot.pause()
        widget = Static()
        await app.screen.query(Vertical).first().mount(widget)
        primary = Color.parse(app.theme_variables["primary"])
        for number in range(2):
            applied.clear()
            widget.add_class("-marked", "hot")
            assert (widget.styles.color, widget.styles.padding.width) == (Color.parse("lime"), 2)
            assert widget._has_hover_style
            widget.remove_class("-marked", "hot")
            assert (widget.styles.color, widget.styles.padding.width) == (primary, 0)
            assert not widget._has_hover_style
            assert (widget not in applied) == bool(number)


class Slow(Screen[None]):
    """A widget that changes gradually."""

    CSS = """
    #slow { opacity: 10%; transition: opacity 50ms; }
    #slow.-on { opacity: 100%; }
    """

    def compose(self) -> ComposeResult:
        yield Static(id="slow")


async def test_a_widget_with_a_transition_reaches_its_values_each_time() -> None:
    app = FrugalApp()
    async with app.run_test() as pilot:
        await app.push_screen(Slow())
        await pilot.pause()
        slow = app.screen.query_one("#slow")
        for number in range(4):
            on = number % 2 == 0
            slow.set_class(on, "-on")
            await pilot.wait_for_animation()
            await pilot.wait_for_scheduled_animations()
            assert slow.styles.opacity == (1.0 if on else 0.1)
