"""JSON Schemas: documents are valid by them, for a validator that is not ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celtop.export.formats import FORMATS
from celtop.export.schemas import DOCUMENTS, schema
from celtop.model.state import ClusterState
from celtop.tests.model.schedules import entry, read
from jsonschema import Draft202012Validator

from .conftest import HOSTILE, run_task
from .test_formats import documents


def validator(name: str) -> Any:
    described = json.loads(schema(name))
    Draft202012Validator.check_schema(described)
    return Draft202012Validator(described)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_schema_is_one(name: str) -> None:
    with pytest.raises(Exception, match="required property"):
        validator(name).validate({})


def test_documents_are_valid(state: ClusterState) -> None:
    run_task(state, 1, {"type": "task-failed", "exception": HOSTILE, "traceback": "T"})
    read(state, entry())
    for document in documents(state).values():
        printed = json.loads(FORMATS["json"].encode(document, 80))
        validator(document.name).validate(printed)
        printed["added"] = "by a later version"
        validator(document.name).validate(printed)
        del printed["schema"]
        assert not validator(document.name).is_valid(printed)


def test_fields_are_described() -> None:
    defined = json.loads(schema("tasks"))["$defs"]
    assert defined["TaskList"]["properties"]["matching"]["description"].startswith("Known rows")
    assert "running" in defined["TaskRecord"]["properties"]["runtime_s"]["description"]
