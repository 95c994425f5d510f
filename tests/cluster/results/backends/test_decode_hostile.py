"""Hostile entries cost little and do not end the process."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import celtop
import pytest
from celtop.cluster.events.open_tasks import OpenTasks
from celtop.cluster.inbox import Inbox
from celtop.cluster.results.backends import plain_pickle
from celtop.cluster.results.backends.base import ResultReader
from celtop.cluster.results.backends.decode import MAX_DEPTH, from_payload
from celtop.cluster.results.poller import ResultPoller
from celtop.cluster.results.push import ResultPush
from celtop.model.entities.result import ResultMeta
from celtop.model.observations import LogMessage

NESTED = b"\x80\x04)" + b"\x85" * 200_000 + b"."
PICKLED = b"\x80\x04}(\x8c\x06status\x8c\x08PROGRESS\x8c\x06result" + NESTED[2:-1] + b"u."


def nested(levels: int) -> bytes:
    return b'{"status": "PROGRESS", "result": ' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(
    "payload",
    [PICKLED, nested(MAX_DEPTH + 1), nested(900), nested(200_000)],
    ids=["pickled", "just too deep", "900", "200,000"],
)
def test_the_state_of_a_too_deeply_nested_entry_is_read(payload: bytes) -> None:
    found = from_payload("id", payload)
    assert (found.status, found.result) == ("PROGRESS", None)
    assert found.undecoded == "nested too deeply"
    assert found == from_payload("id", payload)  # which recursion could not compare


def test_an_entry_within_the_depth_limit_is_read() -> None:
    found = from_payload("id", nested(MAX_DEPTH - 2))
    assert found.undecoded is None
    assert found.result is not None


def test_repeated_texts_are_limited() -> None:
    text = b"x" * 100_000
    bomb = b"\x80\x04(X" + len(text).to_bytes(4, "little") + text + b"\x94" + b"h\x00" * 50_000
    with pytest.raises(plain_pickle.NotPlain):
        plain_pickle.read(bomb + b"t.")


def test_keys_with_equal_hashes_are_refused() -> None:
    alike = {number * sys.hash_info.modulus for number in range(1, 100)}
    assert len({hash(number) for number in alike}) == 1
    with pytest.raises(plain_pickle.NotPlain):
        plain_pickle.read(pickle.dumps(dict.fromkeys(alike), 4))
    plain = {-(2**63) + 1: 1, 2**62: 2, (1, "a"): 3}
    assert plain_pickle.read(pickle.dumps(plain, 4)) == plain


def test_equal_keys_in_many_tables_are_read() -> None:
    rows = [{"a rather long name of a column": n, "status": "done"} for n in range(1_000)]
    assert plain_pickle.read(pickle.dumps(rows, 4)) == rows


def test_a_key_of_nested_tuples_does_not_end_the_process() -> None:
    code = (
        "from celtop.cluster.results.backends import plain_pickle\n"
        "try: plain_pickle.read(b'\\x80\\x04})' + b'\\x85' * 2_000_000 + b'Ns.')\n"
        "except plain_pickle.NotPlain: print('refused')\n"
    )
    root = Path(celtop.__file__).parent.parent
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=root
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "refused")


def test_tuples_as_keys_are_read() -> None:
    table = {("a", 1): 2, b"b": 3, None: 4}
    assert plain_pickle.read(pickle.dumps(table, 4)) == table


def test_a_decompression_bomb_is_refused() -> None:
    packed = zlib.compress(b'{"status": "SUCCESS", "result": "' + b"x" * (40 << 20) + b'"}')
    found = from_payload("id", b"\0celery-compressed\0application/x-gzip\0" + packed)
    assert found.undecoded == "too large when decompressed"


class Odd:
    """A reader that fails at first as none should."""

    unavailable = None

    def __init__(self) -> None:
        self.reads = 0

    def read(self, ids: Sequence[str]) -> dict[str, ResultMeta]:
        self.reads += 1
        if self.reads == 1:
            raise TypeError("of all things")
        return {id_: from_payload(id_, json.dumps({"status": "STARTED"})) for id_ in ids}


def test_an_unforeseen_error_does_not_end_the_poller() -> None:
    reader: Any = Odd()
    inbox, open_tasks = Inbox(1_000), OpenTasks()
    push = ResultPush(lambda: cast(ResultReader, reader), open_tasks, inbox)
    poller = ResultPoller(lambda: reader, open_tasks, push, inbox, lambda ids: None)
    told: list[object] = []
    open_tasks.request_read(["id"])
    poller.start()
    try:
        deadline = time.monotonic() + 10.0
        while time.monotonic() < deadline and reader.reads < 2:
            if (one := inbox.take()) is not None:
                told.append(one)
            open_tasks.request_read(["id"])
            threading.Event().wait(0.02)
    finally:
        poller.stop()
        poller.join(5.0)
    assert reader.reads >= 2
    assert any(isinstance(one, LogMessage) and "TypeError" in one.text for one in told)
    assert poller.fault is None
