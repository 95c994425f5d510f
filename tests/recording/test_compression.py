"""Codecs by the name of the file, and a zstd that is not installed."""

from __future__ import annotations

import io

import pytest
from celtop.recording import compression
from celtop.recording.compression import Unreadable, codec_of, decompressed


def test_the_name_decides_the_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("a.gz", "a.jsonl.gz", "a.jsonl")
    assert [codec_of(name) for name in names] == ["gzip", "gzip", "none"]
    monkeypatch.setattr(compression, "zstd_module", lambda: None)
    assert codec_of("incident") == "gzip"
    with pytest.raises(ValueError, match=r"celtop\[zstd\]"):
        codec_of("a.zst")
    with pytest.raises(Unreadable, match="not installed"):
        list(decompressed(io.BytesIO(b"\x28\xb5\x2f\xfd...")))
    monkeypatch.setattr(compression, "zstd_module", lambda: object())
    assert codec_of("incident") == codec_of("a.zst") == "zstd"
