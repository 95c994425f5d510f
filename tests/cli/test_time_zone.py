"""The local time zone after a Django project was loaded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from celtop.tests.servers import APPS

PROGRAM = """
import os, time
import django_project, django
django.setup()
before = os.environ["TZ"]
from celtop.cli.time_zone import restore_time_zone
restore_time_zone()
print(before, os.environ.get("TZ"), time.strftime("%z", time.localtime(0)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps the initial environment")
def test_times_are_those_of_the_terminal_again() -> None:
    """The project's `TIME_ZONE` is Asia/Tokyo."""
    app = {"TEST_DATABASE": ":memory:", "TEST_BROKER_URL": "memory://"}
    env = {**os.environ, "PYTHONPATH": str(APPS), **app}
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**env, "TZ": "America/New_York"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.stdout.split() == ["Asia/Tokyo", "America/New_York", "-0500"], ended.stderr
