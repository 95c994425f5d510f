from __future__ import annotations

from xml.etree import ElementTree

import pytest
from celtop.export.encoding import svg
from celtop.export.encoding.colours import STYLES
from celtop.export.snapshot.document import snapshot_document
from celtop.model.entities.states import CELERY_STATES
from celtop.model.entities.styles import state_style
from celtop.model.state import ClusterState
from celtop.tests.export.conftest import HOSTILE, context, run_task


def drawn_of(state: ClusterState, width: int) -> str:
    return svg.render(snapshot_document(context(state)), width)


SPACE = "{http://www.w3.org/2000/svg}"


def test_the_image_shows_the_tables(state: ClusterState) -> None:
    run_task(state, 1, {"type": "task-succeeded", "result": "3", "runtime": 0.5}, args=HOSTILE)
    drawn = drawn_of(state, 250)
    root = ElementTree.fromstring(drawn)
    text = "".join(root.itertext()).replace("\xa0", " ")
    assert r"('\x1b[31m[/]<U+202E>\x9b[bold]x', '日本', '<&>')" in text
    assert "Workers (2)" in text
    assert "celtop snapshot at 2026-09-21T14:13:20.000Z" in text


def test_the_image_has_no_external_resources(state: ClusterState) -> None:
    drawn = drawn_of(state, 120)
    assert "url(http" not in drawn
    assert "@import" not in drawn
    assert "@font-face" not in drawn
    assert drawn == drawn_of(state, 120), "and it is reproducible"


@pytest.mark.parametrize(
    ("wanted", "colour"),
    [
        ("SUCCESS", "#4caf50"),
        ("FAILURE", "#ef5350"),
        ("PENDING", "#f5a623"),
        ("RECEIVED", "#f5a623"),
        ("STARTED", "#4aa3ff"),
        ("RETRY", "#b583f0"),
        ("REVOKED", "#9e9e9e"),
        ("PROGRESS", "#4dd0e1"),
    ],
)
def test_state_colours(state: ClusterState, wanted: str, colour: str) -> None:
    task_id = run_task(state, 1, {})
    state.tasks[task_id].state = wanted
    drawn = drawn_of(state, 120)
    root = ElementTree.fromstring(drawn)
    cells = [cell for cell in root.iter(f"{SPACE}text") if (cell.text or "").strip() == wanted]
    assert cells, "the state has a cell of its own"
    (style,) = {cell.attrib["class"] for cell in cells}
    rule = drawn.split(f".{style} {{", 1)[1].split("}", 1)[0]
    assert f"fill: {colour}" in rule


def test_every_state_has_a_style() -> None:
    assert {state_style(name) for name in (*CELERY_STATES, "[bold]")} <= STYLES.keys()
