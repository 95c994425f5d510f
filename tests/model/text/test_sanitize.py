"""No text from a task reaches the terminal with control or invisible characters."""

from __future__ import annotations

import pytest
from celtop.model.text.sanitize import visible, visible_lines
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("plain [bold]text[/]", "plain [bold]text[/]"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\x9b31m\x7f\x00\x08", r"\x9b31m\x7f\x00\x08"),
        ("a\nb\r\nc\td", r"a\nb\r\nc\td"),
        ("a\u202eb\u2066c\u200f\u061c", "a<U+202E>b<U+2066>c<U+200F><U+061C>"),
        ("\u2028\u2029\ufeff\u200b\xad", "<U+2028><U+2029><U+FEFF><U+200B><U+00AD>"),
        ("\ud800\U000e0041\ue000", "<U+D800><U+E0041><U+E000>"),
        ("e\u0301 漢字 é", "e\u0301 漢字 é"),
        ("👩\u200d🚀", "👩🚀"),
        ("❤\ufe0f 1\ufe0f\u20e3 👍🏽 🇩🇪", "❤ 1\u20e3 👍 🇩🇪"),
        ("a\xa0b\u2003c", "a b c"),
    ],
)
def test_control_and_invisible_characters_are_named(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


def test_a_limit_cuts_with_an_ellipsis() -> None:
    assert visible("abcdef", 6) == "abcdef"
    assert visible("abcdefg", 6) == "abcde…"
    assert visible("abcdefg", 6, more="...") == "abc..."
    assert visible("\n\n\n\n", 5) == r"\n\n…"
    assert visible("abc", 0) == ""


class Endless(str):
    """Claims a huge length; examining all of it fails the test."""

    def isprintable(self) -> bool:
        raise AssertionError("looked at the whole text")


def test_a_limit_bounds_the_examined_characters() -> None:
    assert visible(Endless("\x1b" * 1000), 8) == r"\x1b\x1…"


def test_lines() -> None:
    assert visible_lines("a\r\n\tb\rc\n\x1bd") == ["a", "    b", "c", r"\x1bd"]
    assert visible_lines("abcdef", 4) == ["abcd", "[2 more characters]"]
    assert visible_lines("a\u2028b") == ["a<U+2028>b"]


@given(st.text(), st.none() | st.integers(0, 40))
def test_the_result_is_always_printable(text: str, limit: int | None) -> None:
    shown = visible(text, limit)
    assert all(char.isprintable() for char in shown)
    assert limit is None or len(shown) <= limit
    shown.encode()
    for line in visible_lines(text):
        assert all(char.isprintable() for char in line)


@given(st.text(st.sampled_from("a漢e\u0301❤\ufe0f1\u20e3👍🏽👩\u200d🚀🏳🌈\x00")))
def test_a_text_is_as_wide_as_its_characters(text: str) -> None:
    for shown in (visible(text), *visible_lines(text)):
        assert cell_len(shown) == sum(map(cell_len, shown))
