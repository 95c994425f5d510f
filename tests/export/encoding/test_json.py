"""JSON that is safe to print on a terminal."""

from __future__ import annotations

import sys
import unicodedata

import msgspec
import pytest
from celtop.export.encoding.json import encode

HIDDEN = ("Cc", "Cf", "Zl", "Zp")


def test_no_character_that_a_terminal_obeys_is_printed() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    text = "".join(char for char in characters if unicodedata.category(char) in HIDDEN)
    encoded = encode({"text": text}).decode()
    assert msgspec.json.decode(encoded) == {"text": text}
    assert all(char.isprintable() or char == "\n" for char in encoded)


@pytest.mark.parametrize("text", ["plain", "ünïcode", "日本", "👩‍🚀"])
def test_readable_text_stays_readable(text: str) -> None:
    encoded = encode([text]).decode()
    assert msgspec.json.decode(encoded) == [text]
    assert text in encoded or "\\u200d" in encoded
