from __future__ import annotations

import ast
from pathlib import Path

from celtop.model.health import codes
from celtop.model.health.broker.questions import QUESTIONS
from celtop.model.health.codes import CODES

HEALTH = Path(codes.__file__).parent


def written_codes() -> set[str]:
    """Return the texts in the family modules that look like a code."""
    texts = {
        node.value
        for path in HEALTH.rglob("*.py")
        if path.name != "codes.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return texts | {f"{question}-unknown" for question in QUESTIONS}


def made_codes() -> set[str]:
    """Return the first arguments of all calls of `Finding`, if they are literal."""
    return {
        call.args[0].value
        for path in HEALTH.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Finding"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_every_code_of_a_finding_is_in_the_table() -> None:
    assert made_codes() - CODES.keys() == set()


def test_every_code_in_the_table_is_used() -> None:
    assert CODES.keys() - written_codes() == set()


def test_meanings_and_remedies_are_sentences_of_one_table_row() -> None:
    for name, code in CODES.items():
        assert code.meaning.endswith(".") and code.remedy.endswith("."), name
        assert "|" not in code.meaning + code.remedy and "\n" not in code.meaning + code.remedy
        assert code.severities
