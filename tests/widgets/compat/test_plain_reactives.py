"""Reactive attributes have the values that Textual finds, whether or not they are computed."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.widgets.compat.plain_reactives import reading
from textual.reactive import Reactive, ReactiveError, reactive, var
from textual.widget import Widget


class Counter(Widget):
    """Attributes of all kinds."""

    plain = var(1)
    made: reactive[Any] = reactive(lambda: [2], init=False)
    doubled = reactive(0)

    def compute_doubled(self) -> int:
        return self.plain * 2


class Unprepared(Widget):
    """A widget that forgets to initialize what it is."""

    plain = var(1)

    def __init__(self) -> None:
        pass


@pytest.fixture(autouse=True)
def fast_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reactive, "__get__", reading())


def test_attributes_are_read_with_their_defaults_and_after_changes() -> None:
    counter, other = Counter(), Counter()
    assert (counter.plain, counter.made, counter.doubled) == (1, [2], 2)
    assert counter.made is counter.made
    assert counter.made is not other.made
    counter.plain = 4
    assert (counter.plain, counter.doubled) == (4, 8)
    counter.set_reactive(Counter.plain, 5)
    assert (counter.plain, counter.doubled, other.doubled) == (5, 10, 2)


def test_the_class_has_the_attribute_itself() -> None:
    assert isinstance(Counter.plain, Reactive)


def test_an_attribute_that_only_a_subclass_computes_is_computed() -> None:
    class Fixed(Counter):
        def compute_plain(self) -> int:
            return 7

    counter, fixed = Counter(), Fixed()
    assert (counter.plain, fixed.plain, counter.plain) == (1, 7, 1)
    assert (counter.plain, fixed.plain) == (1, 7)


def test_a_widget_that_is_not_initialized_is_reported() -> None:
    with pytest.raises(ReactiveError, match="super"):
        _ = Unprepared().plain
