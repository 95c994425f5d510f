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
        await screen.pilot.resize_terminal(60, 5)
        await screen.settle()
        assert [line.split()[0] for line in screen.lines[:3]] == ["Name", "State", "Args"]
        fields.show([Field("Only", "one" * 50)])
        await screen.settle()
        assert screen.lines[0].endswith("…")
        assert screen.lines[1] == ""
