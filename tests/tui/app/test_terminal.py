from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from celtop.tui.app.terminal import is_gone, supports_unicode


@pytest.mark.parametrize(
    ("environ", "spoken"),
    [
        ({"LANG": "en_GB.UTF-8"}, True),
        ({"LANG": "de_DE.utf8@euro"}, True),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, False),
        ({}, False),
    ],
)
def test_the_locale_decides_what_can_be_drawn(environ: dict[str, str], spoken: bool) -> None:
    assert supports_unicode(environ) is spoken


def test_a_terminal_that_vanished_is_noticed() -> None:
    master, slave = pty.openpty()
    assert not is_gone(slave)
    os.close(master)
    assert is_gone(slave)
    os.close(slave)


def test_what_is_no_terminal_counts_as_gone() -> None:
    reading, writing = os.pipe()
    assert is_gone(reading)
    os.close(reading)
    os.close(writing)


def test_a_terminal_without_a_name_is_not_gone() -> None:
    """In another mount namespace, the terminal works although its device is not in /dev/pts."""
    master, slave = pty.openpty()
    script = (
        "import os\nfrom celtop.tui.app.terminal import is_gone\n"
        "try:\n    os.ttyname(0)\n    print('named')\n"
        "except OSError:\n    print('gone' if is_gone(0) else 'there')"
    )
    command = 'mount -t tmpfs tmpfs /dev/pts && exec "$0" -c "$1"'
    found = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, sys.executable, script],
        stdin=slave, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(slave)
    os.close(master)
    if found.returncode:
        pytest.skip(f"no mount namespace can be made here: {found.stderr}")
    assert found.stdout.strip() == "there"
