"""`celtop why`: why a task or queue does not move."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Final

import click

from ....model.text.phrases import counted, named
from ....model.text.sanitize import visible
from ...arguments import duration_option
from ...exit_codes import ExitCode
from ...operations.ask import require_terminal
from ...operations.run import RunOptions, run_operation
from ...options import Command, settings_of
from ...output import stderr
from ...output.schema import schema_option
from ...output.stdout import write
from ...session import connect, open_session, pump_until
from ...targets.find_task import check_id, find_task
from ...targets.short_ids import full_ids, is_task_id

if TYPE_CHECKING:
    from ....cluster.session import Session

MAX_READ_MESSAGES: Final = 2_000
"""Messages of a queue, the next ones first, that are read to find the place of a task."""

MAX_TAKEN_MESSAGES: Final = 1_000
"""The same on RabbitMQ, where reading marks them."""
READ_TIMEOUT: Final = 5.0
"""Seconds for reading them."""


@click.command(cls=Command)
@click.argument("name", metavar="ID|QUEUE")
@duration_option("--wait", zero=True, default="5s", show_default=True,
              help="Measure a queue for this long.")  # fmt: skip
@click.option("--read-queue", metavar="QUEUE",
              help="Look for the task ID in this queue; on RabbitMQ, this marks messages as"
              " redelivered.")  # fmt: skip
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation of --read-queue.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@schema_option("why")
@click.pass_context
def why(
    ctx: click.Context, name: str, wait: float, read_queue: str | None, yes: bool, as_json: bool
) -> int:
    """Explain why a task or queue does not move, or how soon it will.

    Workers, queues and the result backend are queried; nothing is changed. Only RabbitMQ's
    management API shows waiting messages, by taking and returning them: to find a task there that
    has not been received, pass --read-queue.

    The exit code is 0 if there is an answer, and 1 if there is no such task or queue.
    """
    check_id(name)
    from ....model.entities.broker import family_of

    settings = settings_of(ctx)
    is_amqp = family_of(settings.broker_url.partition("://")[0]) == "amqp"
    measured = [read_queue] if read_queue else [] if is_task_id(name) else [name]
    # RabbitMQ does not list its queues to clients, but measures them by name.
    queues = (*settings.queues, *measured) if is_amqp or read_queue else settings.queues
    if is_amqp and read_queue and not (yes or settings.read_only):
        require_terminal(can_dry_run=False)
    settings = settings.model_copy(update={"enable_events": False, "queues": queues})
    with open_session(settings) as session:
        connect(session)
        if _is_queue(session, name):
            _measure(session, name, wait)
        else:
            if is_amqp and read_queue and not _read_messages(session, read_queue, yes):
                return ExitCode.FAILED
            (name,) = full_ids(session, [name])
            lookup = find_task(session, name)
            if lookup is None:
                stderr.echo("Timed out looking up the task in workers, queues and result backend")
                return ExitCode.TIMEOUT
            if lookup.not_found and name not in session.state.tasks:
                places = "; ".join(f"{one.place}: {one.text}" for one in lookup.places)
                stderr.echo(f"No task or queue {name} was found. {places}")
                if any(name in (one.registered or ()) for one in session.state.workers.values()):
                    stderr.echo(
                        f"{name} is a task type: celtop tasks 'name:{name}' lists its tasks"
                    )
                if is_amqp and read_queue:
                    read = session.state.listing(read_queue)
                    number = counted(0 if read is None else len(read.messages), "message")
                    stderr.echo(f"It is not among the {number} read in {visible(read_queue)}")
                if is_amqp:
                    stderr.echo(_where_to_look(session, name, read_queue))
                return ExitCode.FAILED
            _read_position(session, name)
        return _write(session, name, as_json)


def _is_queue(session: Session, name: str) -> bool:
    """Return whether there is a queue of this name, or was: a worker consumes it, or it exists."""
    queue = session.state.queues.get(name)
    return queue is not None and (queue.waiting is not None or bool(queue.known_consumers))


def _measure(session: Session, name: str, seconds: float) -> None:
    """Measure a queue again, until it is empty or its rates are known."""
    queue = session.state.queues[name]

    def is_known() -> bool:
        return queue.waiting == 0 or queue.out_per_s is not None or queue.fact("depth").is_failed

    session.watch(frozenset({"queue"}))
    pump_until(session, seconds, is_known)


def _read_messages(session: Session, queue: str, yes: bool) -> bool:
    """Read the next messages of a queue on RabbitMQ, once that is confirmed; return whether it did.

    Raises:
        Exit: It was not confirmed.
    """
    from ....model.operations.commands import ReadMessages
    from ....model.operations.summary import sentence

    operation = ReadMessages(queue=queue, count=MAX_TAKEN_MESSAGES)
    outcome = run_operation(session, operation, RunOptions(yes=yes))
    if not outcome.good:
        stderr.echo(visible(sentence(outcome)))
    return outcome.good


def _where_to_look(session: Session, name: str, read_queue: str | None) -> str:
    """Return the next step for a task that was not found on RabbitMQ."""
    from ....cluster.connection.management_api import NEVER, TURNED_OFF

    filled = [one for one in session.state.queues.values() if one.waiting]
    filled = [one for one in filled if one.name != read_queue]
    if not filled:
        other = "other " if read_queue else ""
        return f"No {other}queue with messages is known; name queues with --queues"
    fault = session.state.fact("queues").fault
    if session.settings.rabbitmq_management == NEVER:
        fault = TURNED_OFF
    if fault is not None and fault.kind == "unsupported":
        return (
            f"It may wait in {named([one.name for one in filled])}. RabbitMQ shows waiting "
            f"messages only by its management API, which celtop cannot use. {fault.advice}; then "
            "run this command with --read-queue QUEUE"
        )
    fullest = max(filled, key=lambda one: one.waiting or 0)
    command = f"celtop why {shlex.quote(name)} --read-queue {shlex.quote(fullest.name)}"
    return (
        f"It may wait in {named([one.name for one in filled])}. RabbitMQ shows these messages only "
        f"by taking and returning them: run {command}"
    )


def _read_position(session: Session, id_: str) -> None:
    """Read the queue that a task waits in, if the broker allows it."""
    from ....model.entities.states import PENDING

    task = session.state.tasks.get(id_)
    if task is None or task.state != PENDING or not task.queue:
        return
    reading = session.lookups.peek(task.queue, MAX_READ_MESSAGES)
    # Without the place, which permissions may exclude, there still is an answer.
    pump_until(session, READ_TIMEOUT, lambda: reading.done() and not session.backlog)


def _write(session: Session, name: str, as_json: bool) -> ExitCode:
    from ....export.encoding.json import encode
    from ....export.why import render, report
    from ....model.why.why import why as answer_for

    now, state = time.time(), session.state
    answer = answer_for(state, name, now)
    if answer is None:
        stderr.echo(f"{name} is no longer known. Try again")
        return ExitCode.FAILED
    text = render(answer, state, now).encode("utf-8", "backslashreplace")
    write(encode(report(answer, state, now)) if as_json else text)
    return ExitCode.OK
