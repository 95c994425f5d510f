"""`celtop trigger`: send a new task, and wait for its result if asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .. import stderr
from ..arguments import read_args, read_kwargs, read_name, read_time
from ..await_result import await_result, print_result, result_code
from ..exit_codes import ExitCode, Misuse
from ..options import Command, describe_app, settings_of
from ..run_operation import RunOptions, acting, carry_out, cluster_of, exit_code, worded
from ..stdout import write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...cluster.app_probe import AppDescription
    from ...cluster.session import Session
    from ...model.operations.outcome import Outcome
    from ...settings import Settings


@click.command(cls=Command, short_help="Send a new task.")
@click.argument("name")
@click.option("--args", "args_", default="[]", metavar="JSON",
              help="Positional arguments, a JSON array; @FILE or - for stdin.")  # fmt: skip
@click.option("--kwargs", default="{}", metavar="JSON",
              help="Keyword arguments, a JSON object; @FILE or - for stdin.")  # fmt: skip
@click.option("--queue", metavar="Q", help="Into Q. Else where the app of -A sends it, or where"
              " it was seen, or the only queue of the workers that know it.")  # fmt: skip
@click.option("--priority", type=click.IntRange(0, 255), metavar="N",
              help="On Redis 0 is the most urgent, on RabbitMQ the largest.")  # fmt: skip
@click.option("--countdown", type=click.FloatRange(0), metavar="S",
              help="Not to be started before S seconds from now.")  # fmt: skip
@click.option("--eta", metavar="TIME", help="Not to be started before this ISO 8601 time.")
@click.option("--expires", type=click.FloatRange(0, min_open=True), metavar="S",
              help="Not to be started after S seconds from now.")  # fmt: skip
@click.option("--wait", type=click.FloatRange(0, min_open=True), metavar="S",
              help="Wait S seconds at most for its result, and print that as JSON.")  # fmt: skip
@acting
@click.pass_context
def trigger(
    ctx: click.Context,
    name: str,
    args_: str,
    kwargs: str,
    queue: str | None,
    priority: int | None,
    countdown: float | None,
    eta: str | None,
    expires: float | None,
    wait: float | None,
    manner: RunOptions,
) -> int:
    """Send a new task of the type NAME and print its id.

    With --wait the result is printed instead: exit code 0 if it succeeded, 1 if it failed or was
    revoked, 4 if it has not ended in time. The result comes from the result backend or, where that
    cannot be read, from the text in the task's event.
    """
    import msgspec

    from ...model.operations.call import Call

    if countdown is not None and eta is not None:
        raise Misuse("--countdown and --eta say the same: give one of them")
    name = read_name("NAME", name)
    if queue is not None:
        queue = read_name("--queue", queue)
    if args_ == kwargs == "-":
        raise Misuse("stdin cannot be both: --args and --kwargs")
    call = Call(
        name, read_args(args_), read_kwargs(kwargs), queue, priority, countdown,
        None if eta is None else read_time(eta), expires,
    )  # fmt: skip
    settings, app = _settings(ctx)
    with cluster_of(settings, manner, enable_events=wait is not None) as session:
        if call.queue is None:
            call = msgspec.structs.replace(call, queue=_queue(session, name, app))
        from ...model.operations.commands import Trigger

        outcome = carry_out(session, Trigger(calls=(call,)), manner)
        sent = outcome.sent
        if wait is None or not sent or exit_code(outcome) != ExitCode.OK:
            return _tell(outcome, manner)
        if not manner.as_json:
            _narrate(outcome)
        try:
            result = await_result(session, sent[0].id, wait)
        except (KeyboardInterrupt, SystemExit):
            # The task is under way: whoever stops waiting must at least get its id.
            if manner.as_json:
                _tell(outcome, manner)
            raise
        broker = session.state.broker
        if result is None and broker.phase != "live" and broker.fault is not None:
            stderr.say(f"the broker is lost: {broker.fault}")
    if manner.as_json:
        from ...export.outcome import encode

        write(encode(outcome, result))
        return result_code(result)
    return print_result(result)


def _settings(ctx: click.Context) -> tuple[Settings, AppDescription | None]:
    import msgspec

    described: list[AppDescription] = []

    def describe(app: str, workdir: str | None) -> Mapping[str, object]:
        described.append(describe_app(app, workdir))
        return msgspec.structs.asdict(described[0])

    settings = settings_of(ctx, describe=describe)
    return settings, described[0] if described else None


def _queue(session: Session, name: str, app: AppDescription | None) -> str:
    """Return where a task of this name belongs.

    Raises:
        Misuse: Nobody knows.
    """
    from ...model.confirm.targets import known_queues

    if app is not None:
        for task in app.tasks:
            if task.name == name and task.queue is not None:
                return task.queue
    state = session.state
    seen = {task.queue for task in state.tasks.values() if task.name == name and task.queue}
    if len(seen) == 1:
        return seen.pop()
    if app is not None:
        return app.task_default_queue
    knowing = [one for one in state.workers.values() if name in (one.registered or ())]
    consumed = {queue.name for worker in knowing for queue in worker.queues or ()}
    if len(consumed) == 1:
        return consumed.pop()
    choice = sorted(seen or consumed) or known_queues(state)
    listed = f"; there are {', '.join(choice)}" if choice else ""
    raise Misuse(f"it is not known which queue {name} goes to: say --queue Q{listed}")


def _tell(outcome: Outcome, manner: RunOptions) -> ExitCode:
    if manner.as_json:
        from ...export.outcome import encode

        write(encode(outcome))
    else:
        write("".join(f"{one.id}\n" for one in outcome.sent).encode())
        _narrate(outcome)
    return exit_code(outcome)


def _narrate(outcome: Outcome) -> None:
    for line in worded(outcome):
        stderr.say(line)
