"""The line of a Nagios plugin, and the JSON document."""

from __future__ import annotations

import msgspec
from celtop.export.check import CheckRun, render, render_nagios, report, worst
from celtop.export.encoding.json import encode
from celtop.model.health.check import CheckResult

LATE = CheckResult("max-age", "queue mail", "unknown", "age unknown", None, 60.0, "s")
FULL = CheckResult("max-waiting", "queue a=b|'c", "failed", "50 | waiting\n", 50, 10)
FEW = CheckResult("min-workers", "workers", "ok", "3 workers online", 3, 2)
RATE = CheckResult("max-failure-rate", "tasks", "warning", "1 % failed", 1.25, 5.0, "%", "Look")
URL = "redis://h:6379/0"


def nagios(*results: CheckResult) -> str:
    return render_nagios(CheckRun(URL, worst(results), results)).decode()


def test_performance_data_has_units_and_ranges() -> None:
    assert nagios(FEW, RATE) == (
        "CELTOP WARNING - tasks: 1 % failed | 'workers'=3;;2:;0 'tasks'=1.25%;;5;0\n"
    )


def test_the_worst_comes_first_on_one_line_and_text_cannot_forge_data() -> None:
    text, _, data = nagios(LATE, FEW, FULL).removesuffix("\n").partition(" | ")
    assert text == ("CELTOP CRITICAL - queue a=b/'c: 50 / waiting\\n; queue mail: age unknown")
    assert data == "'workers'=3;;2:;0 'queue a_b/''c'=50;;10;0"


def test_an_unknown_value_is_unknown() -> None:
    assert nagios(LATE, FEW).startswith("CELTOP UNKNOWN - queue mail: age unknown | ")


def test_a_dead_broker_is_critical() -> None:
    run = CheckRun(URL, "unreachable", error="Cannot use the broker")
    assert render_nagios(run) == b"CELTOP CRITICAL - Cannot use the broker\n"


def test_text_has_one_line_for_each_check() -> None:
    lines = render(CheckRun(URL, "failed", (FULL, FEW, RATE))).decode().splitlines()
    assert lines == [
        "FAILED  queue a=b|'c: 50 | waiting\\n",
        "OK      workers: 3 workers online",
        "WARNING tasks: 1 % failed. Look",
    ]


def test_json_has_every_value() -> None:
    encoded = encode(report(CheckRun(URL, "failed", (FULL, LATE), window=2.0), 0.0))
    document = msgspec.json.decode(encoded)
    assert (document["schema"], document["status"]) == ("celtop.check/1", "failed")
    assert (document["broker"], document["error"], document["window_s"]) == (URL, None, 2.0)
    assert [(one["value"], one["unit"]) for one in document["checks"]] == [(50, None), (None, "s")]
