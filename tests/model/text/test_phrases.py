"""Phrases that several sentences share."""

from __future__ import annotations

import pytest
from celtop.model.text.phrases import MAX_SHORT_ID, short_id, short_worker


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


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("celery@web-1.eu-central-1.compute.internal", 20, "celery@web-1…"),
        ("celery@ip-10-0-12-34.eu-central-1.compute.internal", 18, "…ip-10-0-12-34…"),
        ("celery@worker-7f9c6d5b8-x2x4q", 24, "…worker-7f9c6d5b8-x2x4q"),
        ("indexer@worker-7f9c6d5b8-x2x4q", 24, "indexer@worker-7f9c6d5b8-x2x4q"),
        ("celery@10.20.30.40", 12, "celery@10.20.30.40"),
        ("12 workers", 6, "12 workers"),
    ],
)
def test_a_worker_is_shortened_to_its_host(name: str, width: int, shown: str) -> None:
    assert short_worker(name, width, "…") == shown
