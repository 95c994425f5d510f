"""Steps as text, also in ASCII, and as JSON."""

from __future__ import annotations

import msgspec
from celtop.export.doctor import render, render_summary, report
from celtop.export.encoding.json import encode
from celtop.model.health.finding import Finding
from celtop.model.health.steps import QUEUES, RESULTS, WORKERS, Step

ORPHAN = Finding("queue-without-consumers", "error", "queue", "50\x1b[31m waiting", "mail", "Add")
STEPS = (
    Step(WORKERS, "ok", "3 workers online"),
    Step(QUEUES, "failed", "1 queue", "Look", (ORPHAN,), ("a line",)),
    Step(RESULTS, "not checked"),
)


def test_text() -> None:
    lines = render(STEPS[1], ascii_only=False).decode().splitlines()
    assert lines == [
        "✗ failed       Queues          1 queue",
        "                               Next: Look",
        "                               queue mail: 50\\x1b[31m waiting",
        "                                 Next: Add",
        "                               | a line",
    ]
    assert render(STEPS[0], ascii_only=True) == b"+ ok           Workers         3 workers online\n"


def test_the_summary_names_the_steps_that_were_left_out() -> None:
    lines = render_summary(STEPS, ascii_only=True).decode().splitlines()
    assert lines == ["- not checked  Result backend", "", "1 ok, 1 failed, 1 not checked"]


def test_json() -> None:
    document = msgspec.json.decode(encode(report(STEPS, "redis://h/0", 0.0)))
    assert (document["schema"], document["status"]) == ("celtop.doctor/1", "failed")
    assert [step["status"] for step in document["steps"]] == ["ok", "failed", "not checked"]
    (finding,) = document["steps"][1]["findings"]
    assert finding["code"] == "queue-without-consumers"
