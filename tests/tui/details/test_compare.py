"""The names above the columns of a comparison."""

from __future__ import annotations

import pytest
from celtop.tui.details.compare import ComparedRow, distinct_parts

HOST = "eu-west-1.compute.internal"


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        ("celery@web-1", "celery@web-2", ("celery@web-1", "celery@web-2")),
        (f"celery@pool-000.{HOST}", f"celery@pool-012.{HOST}", ("…000…", "…012…")),
        ("shop.tasks.billing.charge", "shop.tasks.mail.send", ("…billing.charge", "…mail.send")),
        (f"celery@{HOST}", f"celery@{HOST}.old", ("…internal", "…internal.old")),
        (f"{HOST}-", f"{HOST}-1", (f"{HOST}-", f"{HOST}-1")),
        (f"celery@{HOST}", f"celery@{HOST}", (f"celery@{HOST}", f"celery@{HOST}")),
    ],
)  # fmt: skip
def test_long_names_are_told_apart(left: str, right: str, shown: tuple[str, str]) -> None:
    assert distinct_parts(left, right, "…") == shown


@pytest.mark.parametrize("label", ["Sent", "Received", "Started", "Retried", "Finished"])
def test_times_of_two_tasks_are_never_a_difference(label: str) -> None:
    assert not ComparedRow(label, "12:00:01", "12:00:02").differs
    assert ComparedRow("Retries", "1", "2").differs
