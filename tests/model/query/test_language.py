from __future__ import annotations

import pytest
from celtop.model.entities.states import CELERY_STATES
from celtop.model.entities.task import Task, TaskExtra
from celtop.model.query.fields import FIELDS, TIMES
from celtop.model.query.language import Problem, exact_term, parse_query, parse_words
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_000_000.0

TASKS = {
    "bill": Task(
        id="3f2a-0001",
        name="billing.send_invoice",
        state="SUCCESS",
        worker="celery@web-1",
        queue="celery",
        args="('ACME [x]', 12)",
        kwargs="{'to': 'Ann \"A\" Lee'}",
        result="'ok'",
        sent_at=NOW - 30,
        started_at=NOW - 20,
        finished_at=NOW - 8,
        runtime=12.0,
    ),
    "geo": Task(
        id="77aa-0002",
        name="geo.convert",
        state="STARTED",
        worker="celery@geo-1",
        queue="celery2",
        received_at=NOW - 7200,
        started_at=NOW - 90,
        args="(1, 2)",
        retries=2,
        extra=TaskExtra(created_at=NOW - 100_000, periodic_task_name="Nightly maps"),
    ),
    "retry": Task(
        id="88bb-0003",
        name="images.download",
        state="RETRY",
        worker="celery@web-1",
        queue="slow",
        exception="requests.Timeout('read')",
        traceback_parts=("Traceback ...\n", "  urllib3"),
        sent_at=NOW - 400,
        retries=1,
    ),
    "custom": Task(
        id="99cc-0004", name="Straße.bau", state="PROGRESS", started_at=NOW - 1.5, root_id="3f2a"
    ),
    "bare": Task(id="00dd-0005", state="FAILURE"),
}


def found(text: str) -> set[str]:
    query = parse_query(text)
    assert not query.problems
    return {key for key, task in TASKS.items() if query.matches(task, NOW)}


ALL = set(TASKS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ALL),
        ("   ", ALL),
        ("state:success", {"bill"}),
        ("state:FaIlUrE,retry", {"bare", "retry"}),
        ("state:fail", set()),
        ("state:progress", {"custom"}),
        ("state:=PROGRESS", {"custom"}),
        ("state:failed", {"bare"}),
        ("state:succeeded", {"bill"}),
        ("state:running", {"geo", "custom"}),
        ("state:waiting", {"retry"}),
        ("state:retrying", {"retry"}),
        ("state:finished", {"bill", "bare"}),
        ("state:faulty", {"retry", "bare"}),
        ("!state:faulty", ALL - {"retry", "bare"}),
        ("-state:faulty", ALL - {"retry", "bare"}),
        ("name:BILL", {"bill"}),
        ("name:geo.*", {"geo"}),
        ("name:*.?ownload", {"retry"}),
        ("name:*", ALL - {"bare"}),
        ("!name:*", {"bare"}),
        ("name:=geo.convert", {"geo"}),
        ("name:=geo.con", set()),
        ("name:geo,images", {"geo", "retry"}),
        ("name:STRASSE", {"custom"}),
        ("name:~^bill|^geo", {"bill", "geo"}),
        ("name:~^[a-z]+\\.d,x", set()),
        ('name:~"^images [.]"', set()),
        ("queue:celery", {"bill", "geo"}),
        ("queue:=celery", {"bill"}),
        ("worker:web-1 !state:retry", {"bill"}),
        ("id:3F2A", {"bill"}),
        ("root:3f2a", {"custom"}),
        ("args:acme", {"bill"}),
        ('args:"acme [x]"', {"bill"}),
        ("args:*[x]*", {"bill"}),
        ('args:"*"', set()),
        ('args:"12)"', {"bill"}),
        ('kwargs:"ann \\"a\\" lee"', {"bill"}),
        ("result:ok", {"bill"}),
        ("exception:timeout", {"retry"}),
        ("traceback:urllib3", {"retry"}),
        ("runtime:>10s", {"bill", "geo"}),
        ("runtime>10s", {"bill", "geo"}),
        ("runtime>=12", {"bill", "geo"}),
        ("runtime:<1m", {"bill", "custom"}),
        ("runtime:<1501ms", {"custom"}),
        ("age:<5m", {"bill", "custom"}),
        ("age:>1h", {"geo"}),
        ("age:>1h59m", {"geo"}),
        ('age:>"1h 59m"', {"geo"}),
        ("age:>400d", set()),
        ("age:<1m,>1h", {"bill", "geo", "custom"}),
        ("periodic:night", {"geo"}),
        ("!periodic:*", ALL - {"geo"}),
        ("finished:<1m", {"bill"}),
        ("finished:>1m", set()),
        ("started:>1m", {"geo"}),
        ("started<1m", {"bill", "custom"}),
        ("started:10s..2m", {"bill", "geo"}),
        ("started:2m..10s", {"bill", "geo"}),
        ("created:>1d", {"geo"}),
        ("!finished:>0s", ALL - {"bill"}),
        ("received:1970-01-12", {"geo"}),
        ("received:1970-01-12T11:46Z", {"geo"}),
        ("received:1970-01-12T11:46:39Z,1970-01-13", set()),
        ("!age:>1ms", {"bare"}),
        ("waited:>5s", {"bill", "geo"}),
        ("retries:>0", {"geo", "retry"}),
        ("retries:2", {"geo"}),
        ("retries:1,2", {"geo", "retry"}),
        ("retries>=1 state:started", {"geo"}),
        ("timeout", {"retry"}),
        ("WEB-1", {"bill", "retry"}),
        ("web-1 acme", {"bill"}),
        ("!celery", {"custom", "bare"}),
        ("started", {"geo"}),
        ("urllib3", set()),
        ("\"requests.Timeout('read')\"", {"retry"}),
        ('"foo:bar"', set()),
        ("NAME:geo", {"geo"}),
    ],
)
def test_terms(text: str, expected: set[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "!",
        "-",
        "state:",
        "state:=",
        "name:~",
        "name:",
        "name:=",
        "age:<",
        "runtime>",
        '"',
        'name:"',
        "retries:,",
        "state:,",
        "finished:",
        "finished:>",
        "finished:..",
    ],
)
def test_an_incomplete_term_is_ignored_without_a_problem(text: str) -> None:
    query = parse_query(text)
    assert query.empty
    assert query.problems == ()
    assert found(text) == ALL


@pytest.mark.parametrize(
    ("text", "bad", "message"),
    [
        ("web foo:bar", "foo:bar", "unknown field foo"),
        ("http://x", "http://x", "unknown field http"),
        ("runtme>5s web", "runtme>5s", "unknown field runtme"),
        ("age:<5x", "age:<5x", "not a duration: 5x"),
        ("age:5m", "age:5m", "add a comparison: age:<5m or age:>5m"),
        ("runtime:=5", "runtime:=5", "add a comparison"),
        ("retries:>many", "retries:>many", "not a number: many"),
        ("retries:>inf", "retries:>inf", "not a number: inf"),
        ("age:>nan", "age:>nan", "not a duration: nan"),
        ("  !name:~(x  ", "!name:~(x", "not a regular expression"),
        ('a name:~"( "', 'name:~"( "', "not a regular expression"),
        ("name:~[[", "name:~[[", "not a regular expression"),
        ("retries:1,x", "retries:1,x", "not a number: x"),
        ("finished:1d", "finished:1d", "add a comparison: finished:<1d or finished:>1d"),
        ("sent:>soon", "sent:>soon", "not a time: soon (use today, yesterday, 1d, 2026-11-01"),
    ],
)
def test_an_invalid_term_is_reported_and_ignored(text: str, bad: str, message: str) -> None:
    query = parse_query(text)
    (problem,) = query.problems
    assert text[problem.start : problem.end] == bad
    assert message in problem.message
    rest = text.replace(bad, "")
    assert {key for key, task in TASKS.items() if query.matches(task, NOW)} == found(rest)


def test_spans_of_terms() -> None:
    text = ' state:retry  !"a b"  x:y '
    query = parse_query(text)
    assert [text[term.start : term.end] for term in query.terms] == ["state:retry", '!"a b"']
    assert [term.field for term in query.terms] == ["state", None]
    assert query.problems[0] == Problem(22, 25, query.problems[0].message)


def test_filters_that_depend_on_the_time() -> None:
    timed = {field for field in FIELDS if parse_query(f"{field}:>1").timed}
    assert timed == {"age", "runtime", "sent", "received", "started", "finished", "created"}
    assert not any(parse_query(f"{field}:>2026-11-01").timed for field in TIMES)
    assert parse_query("!age:>5s").timed
    geo, query = TASKS["geo"], parse_query("runtime:>2m")
    assert not query.matches(geo, NOW)
    assert query.matches(geo, NOW + 31)


@given(st.text(alphabet='!-"\\ ~=<>,:*?[](){}+|.abc05smstateidnamergx\0\x1b\u202eß', max_size=40))
def test_any_incomplete_text_can_be_parsed(text: str) -> None:
    query = parse_query(text)
    for problem in query.problems:
        assert 0 <= problem.start < problem.end <= len(text)
        assert problem.message
    for task in TASKS.values():
        assert query.matches(task, NOW) in (True, False)


@given(st.text(min_size=1, max_size=20))
def test_an_exact_term_finds_only_that_value(value: str) -> None:
    query = parse_query(exact_term("queue", value))
    assert query.problems == ()
    assert len(query.terms) == 1
    assert query.matches(Task(id="1", queue=value), NOW)
    assert not query.matches(Task(id="1", queue=value + "x"), NOW)


def test_parse_words_searches_a_text() -> None:
    assert parse_words("")("anything")
    assert parse_words("WEB up !late")("celery@web-1 up")
    assert not parse_words("web up !late")("celery@web-1 up late")
    assert not parse_words('"two words"')("words two")
    assert parse_words("a:b")("x A:B y"), "fields mean nothing here"


def test_a_lost_task_is_not_running() -> None:
    lost = Task(id="1", state="STARTED", started_at=NOW - 60, lost_at=NOW - 5)
    assert parse_query("state:lost").matches(lost, NOW)
    assert parse_query("state:started").matches(lost, NOW)
    assert not parse_query("state:running").matches(lost, NOW)
    assert not parse_query("state:lost").matches(Task(id="2", state="STARTED"), NOW)


STATES = (*CELERY_STATES, "PROGRESS")


@pytest.mark.parametrize(
    "text",
    [
        *("state:running", "state:failure,retry", "state:lost", "-state:success"),
        *("state:progress", "state:waiting name:a", "state:revoking"),
        *("state:faulty state:failure", "name:a", ""),
    ],
)
def test_no_task_matches_in_another_state(text: str) -> None:
    query = parse_query(text)
    requested = TaskExtra(revoke_requested_at=NOW, terminate_requested=True)
    for state in STATES:
        for lost_at in (None, NOW):
            for extra in (None, requested):
                task = Task("1", name="a", state=state, lost_at=lost_at, extra=extra)
                assert not (state in query.other_states and query.matches(task, NOW))


def test_a_state_leaves_out_all_others() -> None:
    assert parse_query("state:failure").other_states == set(CELERY_STATES) - {"FAILURE"}
    assert parse_query("state:running").other_states == set(CELERY_STATES) - {"STARTED"}
    assert parse_query("name:a").other_states == set()
