"""The demo's producer sends the same tasks for the same seed, of every kind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from celtop.demo import tasks
from celtop.demo.app import app
from celtop.demo.producer import CYCLE_TASKS, GROWING_SHARE, MAX_UNREAD, Story


def flat(signature: Any) -> Iterator[Any]:
    """Yield the single tasks of a chain, group or chord."""
    inner = signature.get("kwargs", {}).get("tasks") or signature.get("kwargs", {}).get("header")
    if signature.task not in ("celery.chain", "celery.group", "celery.chord"):
        yield signature
        return
    for one in getattr(inner, "tasks", inner) or ():
        yield from flat(one)
    if body := signature.get("kwargs", {}).get("body"):
        yield from flat(body)


def sent(seed: int, number: int) -> list[Any]:
    """Return the single tasks among the first so many signatures."""
    story = Story(seed)
    signatures = [*story.opening(), *itertools.islice(story.endless(), number)]
    return [one for signature in signatures for one in flat(signature)]


def described(signatures: list[Any]) -> list[tuple[Any, ...]]:
    return [(one.task, one.args, one.kwargs, one.options.get("task_id")) for one in signatures]


def test_a_seed_always_gives_the_same_tasks() -> None:
    first = described(sent(3, 300))
    assert first == described(sent(3, 300))
    assert first != described(sent(4, 300))
    identities = [task_id for *_, task_id in first]
    assert None not in identities
    assert len(set(identities)) == len(identities)


def test_every_task_is_sent() -> None:
    known = {name for name in app.tasks if not name.startswith("celery.")}
    assert {one.task for one in sent(1, 3000)} == known


def test_maps_come_in_waves_and_the_unread_queue_stays_bounded() -> None:
    story = Story(1)
    cycle = [one.task for one in itertools.islice(story.endless(), CYCLE_TASKS)]
    growing = int(CYCLE_TASKS * GROWING_SHARE)
    maps = [task == "geo.convert_to_raster" for task in cycle]
    assert sum(maps[:growing]) > 5 * sum(maps[growing:]) > 0
    for _ in itertools.islice(story.endless(), 10 * CYCLE_TASKS):
        pass
    assert story.unread == MAX_UNREAD


def test_arguments_are_not_only_ascii() -> None:
    text = repr([(one.args, one.kwargs) for one in sent(1, 200)])
    assert not text.isascii()


class TestFailuresAreRealOnes:
    """Raised where they happen, by what the arguments are."""

    def test_an_unknown_projection(self) -> None:
        with pytest.raises(tasks.UnknownProjection) as caught:
            tasks.reproject("roads", "Gauß-Krüger")
        assert isinstance(caught.value.__cause__, ValueError)
        assert tasks.reproject("roads", "EPSG:3857") == 3857

    def test_a_template_with_a_missing_value(self) -> None:
        with pytest.raises(KeyError, match="balance"):
            tasks.send_mail.run("a@b.c", "{balance}", {"name": "Zoë"})

    def test_truncated_json(self) -> None:
        with pytest.raises(ValueError, match="line 1"):
            tasks.classify.run('{"words": ["a"')
