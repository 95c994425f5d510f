"""The sequences of terminals, with nothing of a task in them but printable text."""

from __future__ import annotations

import pytest
from celtop.alerts import escape_sequences
from celtop.alerts.tracker import Alert, Raised
from celtop.alerts.wording import news, title
from celtop.model.entities.limits.alert_rules import Notification
from celtop.model.health.finding import Finding

HOSTILE = Finding("x", "error", "queue", "a\x1b]0;b\x07\x9b31m;c", "\u202eq\x1b\\")


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({"TERM": "xterm-kitty"}, "99"),
        ({"TERM": "foot-extra"}, "777"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "9"),
        ({"TERM": "xterm-256color", "WT_SESSION": "1"}, "9"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "WezTerm"}, "777"),
        ({"TERM": "xterm-256color"}, "off"),
        ({}, "off"),
    ],
)
def test_a_known_terminal_is_found(environ: dict[str, str], kind: str) -> None:
    assert escape_sequences.notification_kind(environ) == kind


@pytest.mark.parametrize("kind", ["9", "777", "99"])
def test_hostile_text_cannot_leave_its_sequence(kind: Notification) -> None:
    text = news([Raised(Alert(HOSTILE, 0.0), "raised")])
    sequence = escape_sequences.notification(kind, text, {})
    assert sequence.startswith("\x1b]") and sequence.endswith("\x1b\\")
    inner = sequence[2:-2]
    assert inner.isprintable()
    if kind == "777":
        assert inner.count(";") == 3
    shown = escape_sequences.window_title(title("celtop", [Alert(HOSTILE, 0.0)]))
    assert shown[2:-2].isprintable()


def test_tmux_is_asked_to_pass_it_on() -> None:
    sequence = escape_sequences.notification("9", "text", {"TMUX": "/tmp/x"})
    assert sequence == "\x1bPtmux;\x1b\x1b]9;celtop: text\x1b\x1b\\\x1b\\"


def test_an_unknown_terminal_gets_none() -> None:
    assert escape_sequences.notification("auto", "text", {"TERM": "xterm"}) == ""


def test_several_alerts_are_counted() -> None:
    one = Raised(Alert(Finding("x", "error", "queue", "no consumers", "mail"), 0.0), "resolved")
    assert news([one]) == "Resolved: queue mail: no consumers"
    assert news([one, one, one]).endswith("(and 2 other alerts)")
    assert title("celtop", [one.alert]) == "(1) celtop: queue mail: no consumers"
    assert title("celtop", []) == "celtop"
