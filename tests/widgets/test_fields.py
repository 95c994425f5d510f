from __future__ import annotations

from celtop.tests.widgets.screen_text import HOSTILE, SHOWN, shown
from celtop.widgets.fields import Field, Fields


async def test_fields_in_one_column_and_in_two() -> None:
    fields = Fields(
        [Field("Name", "geo"), Field("State", "FAILURE", "bad"), Field("Args", HOSTILE)]
    )
    async with shown(fields, 110, 4) as screen:
        assert screen.lines[0].split() == ["Name", "geo", "Args", SHOWN + "\\n\\x07"]
        assert screen.lines[1].split() == ["State", "FAILURE"]
        await screen.pilot.resize_terminal(34, 5)
        await screen.settle()
        assert [line.split()[0] for line in screen.lines[:3]] == ["Name", "State", "Args"]


async def test_a_long_value_is_wrapped_or_cut() -> None:
    fields = Fields([Field("Long", "one " * 20), Field("Short", "two")])
    async with shown(fields, 50, 5) as screen:
        assert screen.lines[0].startswith("Long   one one")
        assert screen.lines[1].startswith("       one one")
        assert screen.lines[2] == "Short  two"
        fields.wraps = False
        fields.show([Field("Long", "one" * 50), Field("Short", "two")])
        await screen.settle()
        assert screen.lines[0].endswith("…")
        assert screen.lines[1] == "Short  two"


def test_more_columns_are_taken_if_they_save_lines_and_break_no_word() -> None:
    short = [Field(f"Label {n}", f"value {n}") for n in range(7)]
    assert [len(one) for one in Fields(short).columns(76)] == [4, 3]
    assert [len(one) for one in Fields(short).columns(130)] == [4, 3]
    assert [len(one) for one in Fields(short * 3).columns(160)] == [7, 7, 7]
    assert [len(one) for one in Fields(short).columns(60)] == [7]
    word = Field("ID", "0" * 36)
    assert [len(one) for one in Fields([word, *short]).columns(76)] == [8]


def test_a_field_is_not_split_between_columns() -> None:
    fields = Fields([Field("Long", "some words " * 20), Field("A", "1"), Field("B", "2")])
    left, right = fields.columns(100)
    assert {line.field for line in left} == {0}
    assert {line.field for line in right} == {1, 2}


async def test_a_long_value_takes_the_cells_that_the_other_column_leaves_blank() -> None:
    name = "celery@worker-with-a-very-long-name.example.com"
    fields = Fields([Field("Worker", name), *(Field(f"Label {n}", "1") for n in range(5))])
    async with shown(fields, 100, 4) as screen:
        assert name in screen.lines[0] and screen.lines[0].split()[-3:] == ["Label", "2", "1"]
        assert fields.lines == 3
        fields.show([Field("Worker", name), Field("Queue", name)])
        await screen.settle()
        assert fields.lines == 2, "both are wrapped in equal columns"


async def test_a_match_is_found_where_its_field_is() -> None:
    fields = Fields([Field(f"Label {n}", f"value {n}") for n in range(6)])
    async with shown(fields, 110, 4):
        assert fields.show_match(2, 0, 1) == 2
        assert fields.show_match(4, 0, 1) == 1
