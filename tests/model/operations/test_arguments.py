"""Arguments are read by the types of their parameters, exactly or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from celtop.model.entities.registered_task import Parameter
from celtop.model.operations import arguments
from celtop.model.operations.arguments import DEFAULT
from celtop.model.text.parse import ParseError
from hypothesis import given
from hypothesis import strategies as st

PARAMETERS = (
    Parameter("first", "positional"),
    Parameter("second", "either", default="2"),
    Parameter("rest", "args"),
    Parameter("mode", "keyword", default="'a'"),
    Parameter("more", "kwargs"),
)


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("int", "12", 12),
        ("int | None", "null", None),
        ("Optional[int]", "-3", -3),
        ("typing.Optional[typing.List[int]]", "[1, 2]", [1, 2]),
        ("Union[str, None]", "None", None),
        ("float", "5", 5),
        ("float", "2.5", 2.5),
        ("bool", "True", True),
        ("str", "12", "12"),
        ("str", ' "a\\n" ', "a\n"),
        ("str", '""', ""),
        ("datetime.datetime", "2027-01-01", "2027-01-01"),
        ("dict[str, int]", '{"a": 1}', {"a": 1}),
        ("Literal['a', 3]", "3", 3),
        ("Raster", '{"id": 7}', {"id": 7}),
        ("", "12", 12),
        ("", "12 rue", "12 rue"),
        ("", '"12"', "12"),
        ("", "true", True),
    ],
)
def test_text_is_read_by_the_annotation(annotation: str, text: str, value: Any) -> None:
    read = arguments.reader(Parameter("x", annotation=annotation))
    assert read(text) == value
    assert type(read(text)) is type(value)


@pytest.mark.parametrize(
    ("annotation", "text", "problem"),
    [
        ("int", "1.5", "not a whole number: 1.5"),
        ("float", "NaN", "not a number: NaN"),
        ("float", "true", "not a number: true"),
        ("bool", "1", "true or false"),
        ("list[int]", "1, 2", "at"),
        ("dict", "[]", "expected an object"),
        ("Literal['a', 'b']", "c", "one of a, b"),
        ("Raster", "{", "expecting"),
        ("", "[1", "expecting"),
        ("int", " ", "required: int"),
        ("", "", "required"),
    ],
)
def test_what_does_not_fit_is_refused(annotation: str, text: str, problem: str) -> None:
    with pytest.raises(ParseError, match=problem):
        arguments.reader(Parameter("x", annotation=annotation))(text)


def test_blank_text_is_the_default_where_there_is_one() -> None:
    assert arguments.reader(Parameter("x", annotation="int", default="3"))(" ") is DEFAULT


@pytest.mark.parametrize(
    ("args", "kwargs", "passed"),
    [
        ((1,), {}, ((1,), {})),
        ((1, 5), {"mode": "b"}, ((1,), {"second": 5, "mode": "b"})),
        ((1, 5, 6, 7), {"other": 8}, ((1, 5, 6, 7), {"other": 8})),
    ],
)
def test_arguments_are_split_and_joined(
    args: tuple[Any, ...], kwargs: dict[str, Any], passed: Any
) -> None:
    values = arguments.by_parameter(PARAMETERS, args, kwargs)
    assert values is not None
    assert arguments.as_arguments(PARAMETERS, values) == passed


@given(st.lists(st.integers(), max_size=5), st.dictionaries(st.sampled_from("ab"), st.integers()))
def test_split_and_joined_arguments_call_a_function_alike(
    args: list[int], kwargs: dict[str, int]
) -> None:
    def function(
        first: Any = None, /, second: Any = 2, *rest: Any, mode: Any = "a", **more: Any
    ) -> Any:
        return first, second, rest, mode, more

    values = arguments.by_parameter(PARAMETERS, args, kwargs)
    assert values is not None
    again, named = arguments.as_arguments(PARAMETERS, values)
    assert function(*again, **named) == function(*args, **kwargs)


def test_arguments_that_do_not_fit_have_no_parameters() -> None:
    assert arguments.by_parameter((Parameter("x"),), (1, 2), {}) is None
    assert arguments.by_parameter((Parameter("x"),), (), {"y": 1}) is None


def test_combinations_that_cannot_be_passed() -> None:
    base = {"first": 1, "second": DEFAULT, "rest": (), "mode": DEFAULT, "more": {}}
    assert arguments.problems(PARAMETERS, base) == {}
    found = arguments.problems(PARAMETERS, base | {"rest": (3,)})
    assert found == {"second": "has to be given because rest is"}
    found = arguments.problems(PARAMETERS, base | {"more": {"mode": 1}})
    assert found == {"more": "mode has a field of its own"}


@pytest.mark.parametrize(
    ("annotation", "value"),
    [("str", "5"), ("str", '"'), ("str", ""), ("", "5"), ("", None), ("list", [1]), ("int", 7)],
)
def test_a_value_is_written_as_text_that_reads_back(annotation: str, value: Any) -> None:
    parameter = Parameter("x", annotation=annotation)
    text = arguments.text_of(parameter, value)
    assert arguments.reader(parameter)(text) == value


def test_a_value_of_another_type_has_no_text() -> None:
    with pytest.raises(ParseError, match="not of type int"):
        arguments.text_of(Parameter("x", annotation="int"), "seven")
