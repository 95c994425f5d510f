from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from celtop.lists import numbers, queues, tasks
from celtop.lists.task_types import TYPE_KEYS, TYPES
from celtop.lists.workers import load_cells
from celtop.model.entities.fact import NEVER_ASKED
from celtop.model.entities.messages.unacked import Unacked
from celtop.model.entities.queue import Queue
from celtop.model.entities.task import Task
from celtop.model.entities.task_type import TaskType
from celtop.model.entities.worker import Worker
from celtop.model.observations import WaitingMessage
from celtop.model.state import ClusterState
from celtop.model.text import units
from celtop.tui.columns.messages import message_columns
from celtop.tui.details.task import task_fields
from celtop.tui.details.worker import worker_fields
from celtop.widgets.glyphs import ASCII
from celtop.widgets.table.arrangement import arrange
from celtop.widgets.table.column import Frame, Placed
from celtop.widgets.table.needs import measure

NOW = 1000.0
FRAME = Frame(NOW)


def test_an_unknown_number_is_a_question_mark_and_zero_is_quiet() -> None:
    assert numbers.count(None) == ("?", "muted")
    assert numbers.count(0) == ("0", "muted")
    assert numbers.count(1204) == ("1,204", "text")
    assert numbers.seconds(None) == ("?", "muted")
    assert numbers.bytes_of(None) == ("?", "muted")


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.1, 0.6, 0.97, 7.0, 12.34, 1204.0])
def test_a_rate_fits_its_column(rate: float) -> None:
    assert len(numbers.per_second(rate)[0]) <= 7


def test_a_time_of_another_day_has_its_date() -> None:
    noon = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()
    frame = Frame(noon, utc=True)
    for at, wide, narrow in (
        (noon - 3600, "11:00:00", "11:00:00"),
        (noon - 7 * 86_400, "11-21 12:00", "26-11-21"),
        (noon - 365 * 86_400, "2025-11-28", "25-11-28"),
    ):
        shown = [numbers.time_or_date(at, frame, width)[0] for width in (11, 9)]
        assert shown == [wide, narrow]


def test_the_id_of_a_message_is_short_before_its_arguments_are_cut() -> None:
    row = WaitingMessage("f3ea4108-eb28-47fa-a2ae-bd0df7e24f3e", "a.b", "mail", args="x" * 60)
    columns = message_columns(ClusterState())
    for width, whole in ((240, {"id", "args"}), (100, {"args"})):
        needs = measure(columns, [row], FRAME)
        placed = {one.column.id: one.width for one in arrange(columns, width, needs=needs)}
        assert {"id": placed["id"] >= 36, "args": placed["args"] >= 60} == {
            name: name in whole for name in ("id", "args")
        }


@pytest.mark.parametrize(
    ("states", "cell"),
    [
        ({"STARTED": 1}, ("", "text")),
        ({"SUCCESS": 39, "FAILURE": 1}, ("2.5 %", "text")),
        ({"SUCCESS": 12, "FAILURE": 3}, ("20 %", "warn")),
        ({"SUCCESS": 2}, ("0 %", "muted")),
    ],
)
def test_the_share_of_failed_tasks(states: dict[str, int], cell: tuple[str, str]) -> None:
    column = next(one for one in TYPES if one.id == "failed_share")
    assert column.cell(TaskType("shop.bill", states=states), FRAME) == cell


def test_state_is_glyph_word_and_colour() -> None:
    task = Task("1", state="FAILURE")
    assert tasks.state(task, FRAME) == ("✖ FAILURE", "state-failure")
    assert tasks.state(task, Frame(0, ASCII)) == ("x FAILURE", "state-failure")


def test_the_outcome_is_what_matters_of_a_task() -> None:
    def outcome(**told: object) -> str:
        return tasks.outcome(Task("1", **told), FRAME)[0]  # type: ignore[arg-type]

    assert outcome() == ""
    assert outcome(state="SUCCESS", result="42") == "42"
    assert outcome(state="FAILURE", exception="Oops()", result="42") == "Oops()"
    assert outcome(state="SUCCESS", exception="Oops()", result="42") == "42"


def test_a_queue_without_consumers_shouts_only_if_something_waits() -> None:
    known = {"consumers": NEVER_ASKED.answered(NOW)}
    assert queues.consumers(Queue("q", waiting=1, facts=known), FRAME) == ("none", "bad")
    assert queues.consumers(Queue("q", waiting=1), FRAME) == ("?", "muted")
    assert queues.consumers(Queue("q", waiting=0, facts=known), FRAME) == ("none", "warn")
    assert queues.consumers(Queue("q", waiting=0, consumer_count=0), FRAME)[1] == "warn"
    one = Queue("q", waiting=5, known_consumers=("w",), facts=known)
    assert queues.consumers(one, FRAME) == ("w", "text")
    one.facts = {}
    assert queues.consumers(one, FRAME) == ("w, ?", "text")
    assert queues.drain(Queue("q"), FRAME) == ("?", "muted")
    assert queues.drain_beside_status(Queue("q"), FRAME) == ("?", "muted")
    without = Queue("q", waiting=1, facts=known)
    assert queues.drain_beside_status(without, FRAME) == ("-", "muted")


def test_a_worker_without_reports_has_an_empty_bar_and_question_marks() -> None:
    assert "".join(cell[0] for cell in load_cells(Worker("w"), FRAME)).endswith(" ?/?")
    busy = Worker("w", active=2, concurrency=4, processes=(1, 2, 3, 4))
    assert "".join(cell[0] for cell in load_cells(busy, FRAME)) == "█████░░░░░ 2/4"


def test_a_type_counts_its_own_states_as_running() -> None:
    kind = TaskType("a", states={"PENDING": 1, "RECEIVED": 2, "STARTED": 3, "PROGRESS": 4})
    assert TYPE_KEYS["received"](kind) == 3
    assert TYPE_KEYS["started"](kind) == 7


def test_every_sort_key_of_types_is_known() -> None:
    assert {column.sort_key for column in TYPES} <= set(TYPE_KEYS)


def test_a_lost_task_does_not_look_as_if_it_ran() -> None:
    lost = Task("1", state="STARTED", started_at=900.0, lost_at=990.0)
    assert tasks.state(lost, FRAME) == ("? STARTED", "warn")
    assert tasks.elapsed(lost, FRAME) == ("?", "muted")
    assert tasks.outcome(lost, FRAME) == ("no final event received", "warn")
    told = {field.label: field.value for field in task_fields(lost, FRAME)}
    assert told["Lost"] == "10 s ago: no final event received"
    assert "Running for" not in told


def test_a_held_message_has_its_worker_and_when_it_is_redelivered() -> None:
    task, frame = Task("1", state="STARTED"), Frame(NOW, utc=True)
    held = Unacked("1", "a", "q", "w1", NOW - 60, NOW + 3540)

    def fields(held: Unacked, *, abandoned: bool | None) -> list[str]:
        found = task_fields(task, frame, held=held, abandoned=abandoned)
        return [field.value for field in found if field.label in ("Message", "Redelivery")]

    since, until = units.clock(NOW - 60, UTC), units.clock(NOW + 3540, UTC)
    assert fields(held, abandoned=False) == [
        f"held by w1 since {since}",
        f"at {until} if it does not finish",
    ]
    assert fields(held, abandoned=True) == [
        f"held by w1, which is gone, since {since}",
        f"at {until}",
    ]
    due = msgspec.structs.replace(held, worker=None, redelivered_at=NOW)
    assert fields(due, abandoned=True) == [f"held by a worker that is gone, since {since}", "due"]


def test_limits_that_no_clock_can_show() -> None:
    """A worker may answer with any number, also one that is no float."""
    told = {10**400: "none", "soon": "none", 0: "none", None: "none", 90: "1 m 30 s"}
    for value, shown in told.items():
        worker = Worker("w@h", stats={"pool": {"timeouts": [value, 1.5]}})
        (limits,) = [
            one for one in worker_fields(worker, "online", FRAME) if one.label == "Time limits"
        ]
        assert limits.value == f"soft {shown}, hard 1.5 s"


def test_times_can_be_relative() -> None:
    frame = Frame(NOW, relative=True)
    columns = {column.id: column for column in tasks.TASKS}
    task = Task("1", sent_at=NOW - 100, received_at=NOW - 90, finished_at=NOW - 4)
    assert columns["received"].cell(task, frame) == ("1 m ago", "muted")
    assert Placed(columns["finished"], 0, 9).content(task, frame) == (("4 s ago", "muted"),)
    assert columns["age"].cell(task, frame) == ("1 m 40 s", "muted")
    assert columns["age"].cell(Task("2"), frame) == ("?", "muted")
