r"""Escape sequences of terminals for the title of the window and for desktop notifications.

OSC 9 is iTerm2's, also taken by WezTerm, Windows Terminal and ConEmu; OSC 777 is that of urxvt,
foot, WezTerm and Ghostty; OSC 99 is kitty's
(https://sw.kovidgoyal.net/kitty/desktop-notifications/). Texts must be printable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..model.entities.limits.alert_rules import Notification

BELL: Final = "\a"
PUSH_TITLE: Final = "\x1b[22;2t"
"""Keep the title; xterm's, ignored elsewhere."""
POP_TITLE: Final = "\x1b[23;2t"
"""Restore the title that was kept."""
_END: Final = "\x1b\\"
_BY_TERM: Final[Mapping[str, Notification]] = {
    "xterm-kitty": "99",
    "foot": "777",
    "xterm-ghostty": "777",
    "rxvt": "777",
}
"""Terminals by the start of TERM, which ssh passes on."""
_BY_PROGRAM: Final[Mapping[str, Notification]] = {
    "iTerm.app": "9",
    "iTerm2": "9",
    "WezTerm": "777",
    "ghostty": "777",
}
"""Terminals by TERM_PROGRAM or LC_TERMINAL."""


def window_title(text: str) -> str:
    """Return the sequence that sets the title of the window."""
    return f"\x1b]2;{text}{_END}"


def notification(kind: Notification, text: str, environ: Mapping[str, str]) -> str:
    """Return the sequence of a desktop notification; empty if the terminal is unknown.

    tmux passes it on if `allow-passthrough` is on.
    """
    if kind == "auto":
        kind = notification_kind(environ)
    if kind == "off":
        return ""
    if kind == "9":
        sequence = f"\x1b]9;celtop: {text}{_END}"
    elif kind == "777":
        # The fields are separated by semicolons.
        sequence = f"\x1b]777;notify;celtop;{text.replace(';', ',')}{_END}"
    else:
        sequence = f"\x1b]99;i=celtop;celtop: {text}{_END}"
    if "TMUX" in environ:
        return f"\x1bPtmux;{sequence.replace(chr(27), chr(27) * 2)}{_END}"
    return sequence


def notification_kind(environ: Mapping[str, str]) -> Notification:
    """Return the sequence that the terminal supports; `off` if that is unknown."""
    if "WT_SESSION" in environ or environ.get("ConEmuANSI") == "ON":
        return "9"
    if "KITTY_WINDOW_ID" in environ:
        return "99"
    names = (environ.get("TERM_PROGRAM", ""), environ.get("LC_TERMINAL", ""))
    found = next((_BY_PROGRAM[name] for name in names if name in _BY_PROGRAM), None)
    if found is not None:
        return found
    term = environ.get("TERM", "")
    return next((kind for name, kind in _BY_TERM.items() if term.startswith(name)), "off")
