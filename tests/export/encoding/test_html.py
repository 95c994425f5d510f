"""HTML: parsed as a browser would, it has no scripts, no links and nothing to load."""

from __future__ import annotations

import html5lib
from celtop.export.encoding.html import encode
from celtop.model.text.sanitize import visible
from celtop.tests.export.conftest import table_document
from hypothesis import example, given
from hypothesis import strategies as st

ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "thead", "tbody"),
    *("tr", "th", "td"),
}


@given(st.lists(st.text(max_size=30), min_size=1, max_size=3), st.text(max_size=10))
@example(["<script>alert(1)</script>", "<img src=x onerror=alert(1)>"], "'><script>")
@example(["</td></tr></table><iframe>", "<!--", "]]>", "&lt;", "javascript:alert(1)"], "</title>")
def test_texts_are_only_text(texts: list[str], name: str) -> None:
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(
        encode(table_document(*texts, name=visible(name))).decode()
    )
    assert {one.tag for one in page.iter()} <= ELEMENTS
    names = {name for one in page.iter() for name in one.attrib}
    assert names <= {"class", "id", "charset", "content", "http-equiv", "lang", "name"}
    found = ["".join(cell.itertext()) for cell in page.findall(".//td")]
    assert found == [visible(text.strip(), 200, "..") for text in texts]


def test_a_policy_forbids_everything_else() -> None:
    page = html5lib.parse(encode(table_document("a")).decode(), namespaceHTMLElements=False)
    (policy,) = page.findall(".//meta[@http-equiv='Content-Security-Policy']")
    assert policy.get("content", "").startswith("default-src 'none'; style-src 'unsafe-inline'")
