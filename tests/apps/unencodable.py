# mypy: disable-error-code="untyped-decorator"
"""An app whose tasks have arguments that no reply to `inspect active` can encode."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from celery import Celery
from kombu.serialization import register

CONTENT_TYPE = "application/x-objects"


class Request:
    """An argument that JSON cannot represent."""


def decode(text: str) -> Any:
    """Decode JSON, with a `Request` in place of each object with the key `request`."""
    return json.loads(text, object_hook=lambda value: Request() if "request" in value else value)


register("objects", json.dumps, decode, content_type=CONTENT_TYPE, content_encoding="utf-8")
app = Celery("unencodable", broker=os.environ.get("TEST_BROKER_URL", "memory://"))
app.conf.update(json.loads(os.environ.get("TEST_CONF", "{}")), accept_content=["json", "objects"])


@app.task(name="objects.hold")
def hold(request: object, seconds: float) -> None:
    """Run for a while."""
    time.sleep(seconds)
