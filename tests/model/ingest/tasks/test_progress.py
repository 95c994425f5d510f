"""Progress in the forms that public code uses."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.model.ingest.tasks.progress import MAX_META_LENGTH, ProgressReader, read_progress


def read(meta: dict[str, Any]) -> tuple[Any, ...] | None:
    progress = read_progress(meta, 1.0, "event")
    return (
        None
        if progress is None
        else (progress.fraction, progress.current, progress.total, progress.text)
    )


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"current": 3, "total": 15}, (0.2, 3, 15, None)),
        ({"current": "3", "total": "15", "status": "reading"}, (0.2, 3, 15, "reading")),
        ({"done": 1, "total": 2, "message": "half"}, (0.5, 1, 2, "half")),
        ({"processed": 5, "total": 10}, (0.5, 5, 10, None)),
        ({"size": 1, "total": 4}, (0.25, 1, 4, None)),
        ({"page": 2, "total_pages": 8}, (0.25, 2, 8, None)),
        ({"documents_processed": 1, "total_documents": 4}, (0.25, 1, 4, None)),
        ({"completed_images": 3, "image_count": 4, "progress": 75}, (0.75, 3, 4, None)),
        ({"step": 2, "total": 15}, (2 / 15, 2, 15, None)),
        ({"current": 20, "total": 10}, (1.0, 20, 10, None)),
        ({"progress": 40, "status": "converting"}, (0.4, None, None, "converting")),
        ({"progress": 0.4}, (0.4, None, None, None)),
        ({"progress": 1}, (0.01, None, None, None)),
        ({"progress": 1.0}, (1.0, None, None, None)),
        ({"progress": 0}, (0.0, None, None, None)),
        ({"progress": 140}, (1.0, None, None, None)),
        ({"percent": "55"}, (0.55, None, None, None)),
        ({"pct": 55.0}, (0.55, None, None, None)),
        ({"process_percent": 55}, (0.55, None, None, None)),
        (
            {"pending": False, "current": 1, "total": 4, "percent": 25.0, "description": "x"},
            (0.25, 1, 4, "x"),
        ),
        ({"progress": "get customers"}, (None, None, None, "get customers")),
        ({"stage": "upload"}, (None, None, None, "upload")),
        ({"current": 42}, (None, 42, None, None)),
        ({"current": 1, "total": 0}, (None, 1, None, None)),
        ({"current": None, "total": 10, "progress": 10}, (0.1, None, None, None)),
        ({"current": 0, "total": 10}, (0.0, 0, 10, None)),
        ({"progress": float("nan")}, None),
        ({"done": True}, None),
        ({"logs": ["a", "b"]}, None),
        ({}, None),
    ],
)
def test_common_forms(meta: dict[str, Any], expected: tuple[Any, ...] | None) -> None:
    assert read(meta) == expected


PATHS = {
    "geo.*": {"current": "stats.done", "total": "stats.all", "text": "stats.files.1"},
    "geo.area": {"percent": "no"},
    "mail.send": {"percent": "deep.er.share"},
    "say": {"text": "note"},
}


@pytest.mark.parametrize(
    ("name", "meta", "expected"),
    [
        ("geo.area", {"stats": {"done": 3, "all": 4, "files": ["a", "b"]}}, (0.75, 3, 4, "b")),
        ("geo.area", {"stats": '{"done": 3, "all": "4"}'}, (0.75, 3, 4, None)),
        ("geo.area", {"stats": {"done": 3}}, (None, 3, None, None)),
        ("geo.area", {"stats": "not JSON", "progress": 40}, (0.4, None, None, None)),
        ("geo.area", {"stats": {"done": True, "all": 4}, "percent": 10}, (0.1, None, None, None)),
        ("mail.send", {"deep": {"er": {"share": 25}}, "current": 1}, (0.25, None, None, None)),
        ("mail.send", {"current": 1, "total": 2}, (0.5, 1, 2, None)),
        ("say", {"note": 7}, (None, None, None, "7")),
        ("other", {"stats": {"done": 3, "all": 4}}, None),
        (None, {"progress": 5}, (0.05, None, None, None)),
    ],
)
def test_configured_paths_come_first(
    name: str | None, meta: dict[str, Any], expected: tuple[Any, ...] | None
) -> None:
    progress = ProgressReader(PATHS).read(name, meta, 1.0, "backend")
    assert (
        None
        if progress is None
        else (progress.fraction, progress.current, progress.total, progress.text)
    ) == (expected)


def test_an_unrecognized_meta_is_shown_shortened() -> None:
    reader = ProgressReader()
    progress = reader.read_custom_state(None, {"logs": ["x" * 5_000]}, 1.0, "backend")
    assert progress is not None and progress.text is not None
    assert progress.text.startswith('{"logs": ["xxx') and len(progress.text) == MAX_META_LENGTH + 1
    number = reader.read_custom_state(None, 42, 1.0, "backend")
    assert number is not None and (number.current, number.fraction, number.text) == (42, None, None)
    assert reader.read_custom_state(None, {}, 1.0, "backend") is None


def test_a_name_with_the_characters_of_patterns_is_matched_exactly() -> None:
    paths = {"a[b].x*y": {"percent": "own"}, "*": {"percent": "other"}}
    reader = ProgressReader(paths)
    meta = {"own": 25, "other": 75}
    for name, fraction in (("a[b].x*y", 0.25), ("a[b].z", 0.75)):
        progress = reader.read(name, meta, 1.0, "backend")
        assert progress is not None and progress.fraction == fraction
