"""The names above the columns of a comparison."""

from __future__ import annotations

import pytest
from celtop.tui.details.compare import distinct_parts

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
