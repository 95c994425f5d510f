r"""Makes hostile text harmless: control and invisible characters are shown, not obeyed.

Arguments, results and tracebacks come from the application and its users. An escape sequence in
them must not reach the terminal, a right-to-left mark must not reverse a line, and a newline must
not break a row. Each such character is replaced by a visible name: `\n`, `\x1b`, `<U+202E>`.

Emoji lose their joiners, variants and skin tones: terminals disagree about the width of the whole,
and a line that is drawn for another width leaves digits of its cells where others belong.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = {
    **{code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))},
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    0xA0: " ",
}
_ESCAPES_IN_LINE: Final = {**_ESCAPES, ord("\t"): "    "}

_EMOJI_PARTS: Final = re.compile("[\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")


def visible(text: str, limit: int | None = None, more: str = "…") -> str:
    """Return the text as one line that is safe to print.

    At most `limit` characters are examined and returned; `more` ends a shortened text.
    """
    if limit is None:
        return text if _is_harmless(text) else _name_hidden(text.translate(_ESCAPES))
    cut = len(text) > limit
    shown = text[:limit] if cut else text
    if not _is_harmless(shown):
        shown = _name_hidden(shown.translate(_ESCAPES))
        cut = cut or len(shown) > limit
    if not cut:
        return shown
    return shown[: max(0, limit - len(more))] + more[:limit]


def visible_lines(text: str, limit: int | None = None) -> list[str]:
    r"""Return the text's lines, each safe to print; only `\n`, `\r\n` and `\r` end a line.

    At most `limit` characters are examined; a last line counts the rest.
    """
    left_out = 0 if limit is None else max(0, len(text) - limit)
    if left_out:
        text = text[:limit]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    shown = [
        line if _is_harmless(line) else _name_hidden(line.translate(_ESCAPES_IN_LINE))
        for line in lines
    ]
    if left_out:
        shown.append(f"[{left_out:,} more characters]")
    return shown


def _is_harmless(text: str) -> bool:
    return text.isprintable() and (text.isascii() or _EMOJI_PARTS.search(text) is None)


def _name_hidden(text: str) -> str:
    text = _EMOJI_PARTS.sub("", text)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _name(char) for char in text)


def _name(char: str) -> str:
    # Spaces of other widths (U+2003 and the like) are harmless, but their width varies.
    return " " if char.isspace() and char not in "\u2028\u2029" else f"<U+{ord(char):04X}>"
