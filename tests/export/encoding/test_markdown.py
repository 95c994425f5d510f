"""Markdown: rendered by markdown-it as GitHub would, every text is shown as it is."""

from __future__ import annotations

import html5lib
import pytest
from celtop.export.encoding.markdown import encode, escape
from celtop.model.text.sanitize import visible
from celtop.tests.export.conftest import table_document
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

RENDERER = MarkdownIt("gfm-like")
assert RENDERER.linkify is not None
RENDERER.linkify.set({"fuzzy_link": False})  # as GitHub: only `www.`, `http://` and the like


def cells(*texts: str) -> list[str]:
    """Return the text of the cells after rendering; nothing may be in them but text."""
    rendered = RENDERER.render(encode(table_document(*texts)).decode())
    page = html5lib.parse(rendered, namespaceHTMLElements=False)
    found = page.findall(".//tbody/tr/td")
    assert not [child for cell in found for child in cell], rendered
    return ["".join(cell.itertext()) for cell in found]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=3))
@example(["<script>alert(1)</script>"])
@example(["[x](http://evil.example)", "![x](y)", "<http://evil.example>", "www.evil.example"])
@example(["https://evil.example", "mailto:a@b.example", "a@b.example"])
@example(["a|b", "a\\|b", "`|`", "``", "**b** _i_ ~~s~~", "&amp;", "# h", "- x", "1. x", "\\"])
def test_any_text_is_shown_as_it_is(texts: list[str]) -> None:
    shown = [visible(text.strip(), 200, "..") for text in texts]
    assert [" ".join(cell.split()) for cell in cells(*texts)] == [
        " ".join(t.split()) for t in shown
    ]


@pytest.mark.parametrize("text", ["shop.add", "w1@hl", "my_task", "14:02:11", "1,204", "0.5 s"])
def test_usual_texts_stay_readable(text: str) -> None:
    assert escape(text) == text.replace("@", "&#64;")


@pytest.mark.parametrize("text", ["#12", "$x$", ":smile:", "@octocat"])
def test_references_of_github_are_text(text: str) -> None:
    assert not escape(text).startswith(text[0])
