"""Sections of Markdown documents that are made from the code, between two comments."""

from __future__ import annotations


def with_section(document: str, name: str, content: str) -> str:
    """Return a document with the content between `<!-- NAME -->` and `<!-- /NAME -->` replaced.

    Raises:
        ValueError: The document has no such comments.
    """
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, begin, rest = document.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"no {first} ... {last} in the document")
    return f"{before}{first}\n{content}\n{last}{after}"
