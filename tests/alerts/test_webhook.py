"""A URL that cannot be posted to is an error with a reason."""

from __future__ import annotations

import pytest
from celtop.alerts.webhook import WebhookError, post


def test_an_invalid_path_is_reported_without_the_path() -> None:
    with pytest.raises(WebhookError) as error:
        post("http://127.0.0.1:1/geheimnis-ö", [])
    assert "geheimnis" not in str(error.value)
    assert not error.value.may_pass
