"""The Findings screen, Attention beside it, and the commands that acknowledge."""

from __future__ import annotations

from celtop.model.entities.broker import BrokerMemory
from celtop.model.observations import MemoryMeasured, QueueMeasured
from celtop.model.state import ClusterState
from celtop.tests.tui.app_under_test import AppUnderTest, make_app
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tui.navigation import DrillDown, FilteredView


def in_trouble() -> ClusterState:
    """Return the cluster of the other tests, on a Redis that is nearly full."""
    state = cluster()
    state.observe(MemoryMeasured(BrokerMemory(NOW, 95 << 20, 100 << 20, "noeviction")))
    state.observe(QueueMeasured("celary", NOW, 7, consumer_count=0))
    return state


async def test_all_findings_are_listed_with_their_evidence() -> None:
    app, session = make_app(in_trouble())
    async with app.run_test(size=(160, 45)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        await ui.press("8")
        found = [row.finding.code for row in ui.table.rows]
        assert len(found) == len(app.context.findings)
        errors = [row.finding.severity == "error" for row in ui.table.rows]
        assert errors == sorted(errors, reverse=True)
        await ui.press("/", *"redis-memory", "enter")
        assert [row.finding.code for row in ui.table.rows] == ["redis-memory"]
        await ui.until(lambda: "Raise maxmemory, or remove waiting messages" in ui.text)
        assert "100.0 MiB" in ui.text
        await ui.press("enter")  # it has no page
        await ui.until(lambda: "Used: 95.0 MiB" in ui.text)


async def test_enter_opens_the_subject() -> None:
    app, session = make_app(in_trouble())
    async with app.run_test(size=(120, 36)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        await ui.press("8", "/", *"celary", "enter", "enter")
        assert app.location.path == (DrillDown("queue", "celary"),)
        await ui.until(lambda: "no consumers" in ui.text)


async def test_attention_leads_to_a_finding_without_a_page() -> None:
    app, session = make_app(in_trouble())
    async with app.run_test(size=(120, 36)) as pilot:
        attention = AppUnderTest(app, session, pilot).screen.attention
        (row,) = (row for row in attention.rows if row.finding.code == "redis-memory")
        assert attention.target(row.id) == FilteredView("findings", "redis-memory")


async def test_acknowledged_findings_leave_attention_until_they_become_worse() -> None:
    app, session = make_app(in_trouble())
    async with app.run_test(size=(120, 36)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        rows = ui.screen.attention.rows
        before = [row.finding.code for row in rows]
        await ui.press(":", *"ack queue celary", "enter")
        app.frame_loop.paint()
        after = [row.finding.code for row in rows]
        assert sorted(before) == sorted([*after, "queue-without-consumers"])
        assert "1 acknowledged" in ui.screen.attention.status()[1]
        session.state.observe(QueueMeasured("celary", NOW + 1, 40, consumer_count=0))
        rows.refresh()
        assert sorted(row.finding.code for row in rows) == sorted(before)


async def test_commands_name_findings_by_code_or_subject() -> None:
    app, session = make_app(in_trouble())
    async with app.run_test(size=(120, 36)) as pilot:
        ui = AppUnderTest(app, session, pilot)
        quiets = app.context.acknowledgements.quiets
        await ui.press(":", *"ack all", "enter")
        assert all(map(quiets, app.context.findings))
        await ui.press(":", *"unack redis-memory", "enter")
        assert [one.code for one in app.context.findings if not quiets(one)] == ["redis-memory"]
        assert ui.said[-1] == "redis-memory broker is no longer acknowledged"
        await ui.press(":", *"ack nothing", "enter")
        assert ui.said[-1].startswith("No finding nothing; name a code, a subject, both")
