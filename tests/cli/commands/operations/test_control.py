"""`celtop control`: each declared command makes its operation from its own parameters."""

from __future__ import annotations

import click
import pytest
from celtop.cli.commands.operations.control import WORKER_COMMANDS, WorkerCommand, control
from celtop.cli.options import GlobalOption
from celtop.model.operations import commands

SHARED = {"schema", "worker", "everyone", "patterns", "yes", "dry_run", "as_json"}


@pytest.mark.parametrize("one", WORKER_COMMANDS, ids=lambda one: one.name)
def test_parameters_are_fields_of_the_operation(one: WorkerCommand) -> None:
    struct = getattr(commands, one.operation)
    own = {
        parameter.name
        for parameter in control.commands[one.name].params
        if not isinstance(parameter, GlobalOption)
    }
    assert own - SHARED == set(struct.__struct_fields__) - {"workers"}


def test_the_names_of_celery_are_understood() -> None:
    context = click.Context(control)
    for name, celery_name in (("grow", "pool_grow"), ("rate-limit", "rate_limit")):
        command = control.get_command(context, celery_name)
        assert command is control.commands[name]
