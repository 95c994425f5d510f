from __future__ import annotations

import platform
import subprocess
import sys

import pytest

HEAPS = """
import ctypes, threading
from celtop.cluster.glibc import limit_heaps
limit_heaps()
threads = [threading.Thread(target=lambda: bytearray(100_000)) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_threads_share_one_heap() -> None:
    ended = subprocess.run(
        (sys.executable, "-c", HEAPS), capture_output=True, text=True, check=True, timeout=60
    )
    assert "Arena 0:" in ended.stderr
    assert "Arena 1:" not in ended.stderr
