"""The checks of what each key does, by action id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from celtop.tests.tui.app_under_test import AppUnderTest

Check = Callable[[AppUnderTest, str], Awaitable[None]]
CHECKS: dict[str, Check] = {}


def checks(*ids: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS.update(dict.fromkeys(ids, check))
        return check

    return register
