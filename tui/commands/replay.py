"""The typed commands of a replay."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ...model.text import parse
from ..replay import NOT_A_REPLAY
from .base import Command, CommandError, CommandHost

if TYPE_CHECKING:
    from ...recording.playback import Playback
    from ..replay import ReplayControls

MAX_SPEED: Final = 1000.0
USAGE: Final = "Usage: seek HH:MM[:SS] | +DURATION | -DURATION | PERCENT% | start | end"


def _controls(host: CommandHost) -> ReplayControls:
    controls = host.replay_controls
    if controls is None:
        raise CommandError(NOT_A_REPLAY)
    return controls


def _seek(host: CommandHost, argument: str) -> None:
    controls = _controls(host)
    assert host.context.replay is not None
    controls.seek(seek_time(argument, host.context.replay.playback, utc=host.context.utc))


def _speed(host: CommandHost, argument: str) -> None:
    controls = _controls(host)
    try:
        speed = float(argument.removesuffix("x"))
    except ValueError:
        raise CommandError(f"Not a number: {argument or '(empty)'}") from None
    if not 0.01 <= speed <= MAX_SPEED:
        raise CommandError(f"The speed must be between 0.01 and {MAX_SPEED:g}")
    controls.set_speed(speed)


def seek_time(text: str, playback: Playback, *, utc: bool) -> float:
    """Return the time that a position in words means.

    Raises:
        CommandError: It is not a position.
    """
    text = text.strip().lower()
    end = playback.position if playback.end is None else playback.end
    if text == "start":
        return playback.begin
    if text == "end":
        return end
    if found := re.fullmatch(r"(\d{1,3}(?:\.\d+)?)%", text):
        return playback.begin + (end - playback.begin) * min(100.0, float(found[1])) / 100
    try:
        if text[:1] in ("+", "-"):
            return playback.position + float(f"{text[0]}1") * parse.duration(text[1:])
        # The first such time of the day after the beginning.
        begin = datetime.fromtimestamp(playback.begin, UTC).replace(microsecond=0).timestamp()
        return parse.moment(text, begin - 1.0, UTC if utc else None)
    except parse.ParseError as error:
        raise CommandError(f"{error}. {USAGE}") from None


REPLAY_COMMANDS: Final = (
    Command("seek", "Move the replay of a recording to a time", _seek, "TIME"),
    Command(
        "speed",
        "Set the speed of the replay",
        _speed,
        "NUMBER",
        lambda _: ("0.5", "1", "10", "50"),
    ),
)
