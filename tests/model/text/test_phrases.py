"""Phrases that several sentences share."""

from __future__ import annotations

import pytest
from celtop.model.text.phrases import MAX_SHORT_ID, short_id


@pytest.mark.parametrize(
    ("id_", "shown"),
    [
        ("3f2a9c1d-0000-4000-8000-000000000000", "3f2a9c1d"),
        ("order-2026-1041", "order-2026-1041"),
        ("注文-41", "注文-41"),
        ("nightly-invoices-2026-11-30-customer-1041", "nightly-inv…ustomer-1041"),
    ],
)
def test_an_id_is_shortened_to_what_tells_it_from_others(id_: str, shown: str) -> None:
    assert short_id(id_) == shown
    assert len(shown) <= MAX_SHORT_ID
