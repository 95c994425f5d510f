"""JSON Schemas of the documents, made from their records."""

from __future__ import annotations

import ast
import inspect
import textwrap
from importlib import import_module
from itertools import pairwise
from typing import Final

import msgspec

from .encoding.json import encode

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

ANY: Final = ("array", "boolean", "null", "number", "object", "string")
"""The types of a value that may be any JSON."""

DOCUMENTS: Final = {
    "check": "check.CheckReport",
    "config": "config.ConfigRecord",
    "doctor": "doctor.DoctorReport",
    "failures": "lists.records.FailureList",
    "history": "history.HistoryReport",
    "outcome": "outcome.OutcomeRecord",
    "queues": "lists.records.QueueList",
    "schedule": "schedule.ScheduleRecord",
    "snapshot": "snapshot.records.Snapshot",
    "tail": "events.EventRecord",
    "task": "task.TaskReport",
    "tasks": "lists.records.TaskList",
    "types": "lists.records.TypeList",
    "why": "why.WhyReport",
    "workers": "lists.records.WorkerList",
}
"""The record of each document, by the name of its command."""


def schema(name: str) -> bytes:
    """Return the JSON Schema of a document, as JSON.

    Fields may be added to later versions of a document: a schema allows unknown ones.
    """
    module, _, record = DOCUMENTS[name].rpartition(".")
    kind = getattr(import_module(f".{module}", __package__), record)
    (made,), parts = msgspec.json.schema_components(
        (kind,), schema_hook=lambda type_: {"type": ANY}, ref_template="#/$defs/{name}"
    )
    records = {one.__name__: one for one in msgspec.Struct.__subclasses__()}
    for part_name, part in parts.items():
        for field, text in _field_texts(records[part_name]).items():
            part["properties"][field]["description"] = text
    return encode({"$schema": DIALECT, "title": f"celtop {name}", **made, "$defs": parts})


def _field_texts(record: type) -> dict[str, str]:
    """Return the docstrings of a record's fields: the strings that follow them in its source."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(record))).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id: " ".join(str(text.value.value).split())
        for field, text in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
