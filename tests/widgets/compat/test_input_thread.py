"""The input thread sleeps until a key is pressed, or until it is to end."""

from __future__ import annotations

import contextlib
import os
import selectors
import sys
import threading
from importlib import import_module
from typing import Any

import pytest
from celtop.widgets.compat.input_thread import quiet_input_thread

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has another driver")


def test_it_is_woken_up_by_input_and_by_its_end() -> None:
    linux_driver: Any = import_module("textual.drivers.linux_driver")
    keys, typed = os.pipe()
    reads: list[int] = []
    ended = threading.Event()
    quiet = contextlib.ExitStack()
    quiet.enter_context(quiet_input_thread())
    exit_event = linux_driver.Event()
    selector = linux_driver.selectors.SelectSelector()

    def run() -> None:
        # As in `LinuxDriver.run_input_thread`.
        selector.register(keys, selectors.EVENT_READ)
        while not exit_event.is_set():
            reads.extend(key.fd for key, _ in selector.select(0.001))
            if reads and not ended.is_set():
                os.read(keys, 100)
                ended.set()
        selector.unregister(keys)
        assert selector.select(60) == []
        selector.close()

    thread = threading.Thread(target=run)
    thread.start()
    os.write(typed, b"a")
    assert ended.wait(20)
    exit_event.set()
    thread.join(20)
    assert not thread.is_alive()
    assert reads == [keys]
    exit_event.clear()
    assert not exit_event.is_set()
    quiet.close()
    assert exit_event.receiver.fileno() == -1
    exit_event.set()
    for each in (keys, typed):
        os.close(each)
