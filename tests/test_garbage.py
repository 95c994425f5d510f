"""Garbage is collected later during the start, and as usual afterwards."""

from __future__ import annotations

import gc

from celtop import garbage


def test_it_is_put_off_and_resumed() -> None:
    before = gc.get_threshold()
    try:
        garbage.put_off()
        assert gc.get_threshold() == (garbage.START_THRESHOLD, *before[1:])
        garbage.resume()
        assert gc.get_threshold() == (garbage.USUAL_THRESHOLD, *before[1:])
    finally:
        gc.set_threshold(*before)
