"""What is the same for all tests with screens: the local time zone, and the parsed styles."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet


@pytest.fixture(autouse=True)
def _local_time_is_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


_rules: dict[object, list[RuleSet]] = {}


@pytest.fixture(autouse=True)
def _styles_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Share parsed rules among the apps of all tests: each parses the same sheets."""
    parse = Stylesheet._parse_rules

    def rules(self: Stylesheet, *args: Hashable, **kwargs: Hashable) -> list[RuleSet]:
        key = (*self._variables.items(), args, *kwargs.items())
        if (found := _rules.get(key)) is None:
            found = _rules[key] = parse(self, *args, **kwargs)  # type: ignore[arg-type]
        return found

    monkeypatch.setattr(Stylesheet, "_parse_rules", rules)
