"""A report is Markdown in which nothing from the cluster is interpreted."""

from __future__ import annotations

from celtop.export.report import Section, cluster_sections, log_section, render
from celtop.lists.context import ListContext
from celtop.model.health.findings import findings
from celtop.model.observations import LogMessage
from celtop.settings import Settings
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.widgets.glyphs import UNICODE


def context() -> ListContext:
    return ListContext(cluster(), NOW, Settings(), None, UNICODE, True)


def test_it_begins_with_what_it_contains() -> None:
    text = render([Section("Log", "its last lines", "a\nb")], NOW, 2).decode()
    head, _, body = text.partition("## Log")
    assert "2027-01-15T08:00:00" in head
    assert "the 2 patterns of the setting `redact`" in head
    assert "- **Log**: its last lines" in head
    assert body == "\n\n```text\na\nb\n```\n"


def test_text_from_the_cluster_cannot_leave_its_block() -> None:
    hostile = "```\n# pwned <script>\n`````\n\x1b[31m redis://u:hunter2@h \ud800 "
    text = render([Section("Log", "", hostile)], NOW, 0).decode()
    assert text.count("``````") == 2, "the fence is longer than any run of its text"
    assert "\x1b" not in text
    assert "hunter2" not in text and "redis://u:***@h" in text


def test_the_sections_of_a_cluster() -> None:
    shown = context()
    state = shown.state
    state.observe(LogMessage("warning", "broker", "a line of the log", NOW - 1))
    state.take_changes()  # groups the failures
    sections = [*cluster_sections(shown, findings(state, NOW), 0), log_section(state.log)]
    assert [one.title for one in sections] == [
        *("Findings", "Snapshot", "Task types", "Failures", "Log"),
    ]
    text = render(sections, NOW, 0).decode()
    for expected in ("celery@web-1", "mail.send", "ConnectTimeout", "a line of the log"):
        assert expected in text
    assert "'bytes':" not in text, "no results"
    [_, snapshot, *_] = cluster_sections(shown, (), 5)
    assert "the 5 newest tasks" in snapshot.about
    assert "and 240 more" in snapshot.text
