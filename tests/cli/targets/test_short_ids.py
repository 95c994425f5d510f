from __future__ import annotations

import pytest
from celtop.cli.exit_codes import CommandError, InvalidUsage
from celtop.cli.targets.short_ids import _SHORT_ID, _full_id

A, B = "12c42d7d-0000-4000-8000-000000000001", "12c42d7d-0000-4000-8000-000000000002"


def test_a_shortened_id_stands_for_the_one_task_that_begins_with_it() -> None:
    assert _full_id("12c42d7d", [A, "x"]) == A
    with pytest.raises(InvalidUsage, match="2 task ids begin with 12c42d7d"):
        _full_id("12c42d7d", [A, B])
    with pytest.raises(CommandError, match="Pass the full id"):
        _full_id("12c42d7d", ["x"])


@pytest.mark.parametrize("id_", [A, "nightly-report", "12c42d7", "12C42D7D", "deadbeefs"])
def test_full_ids_and_ids_of_other_forms_are_not_shortened(id_: str) -> None:
    assert _SHORT_ID.fullmatch(id_) is None


@pytest.mark.parametrize("id_", [A[:8], A[:9], A[:13], A[:35]])
def test_the_beginning_of_a_uuid_is_shortened(id_: str) -> None:
    assert _SHORT_ID.fullmatch(id_)
