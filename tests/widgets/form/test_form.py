"""Forms: read as one types, with the reason beside what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celtop.model.text.parse import integer
from celtop.model.text.parse_json import read_list
from celtop.tests.widgets.screen_text import Shown, shown
from celtop.widgets.form.controls import Button, FormArea, FormChoice, FormLine
from celtop.widgets.form.field import FormField
from celtop.widgets.form.form import Form
from textual import events
from textual.widgets import Input

HOSTILE = "\x1b[31m[/]‮evil\nline"


def number(text: str) -> int:
    return integer(text, 1, 9)


def entries(**changes: Any) -> list[FormField]:
    return [
        FormField(
            "name", "Name", str.strip, options=("geo.resize", "geo.join", "mail.send", "bad\x1b")
        ),
        FormField("count", "Count", number, **changes),
        FormField("kind", "Kind", str, "b", kind="choice", options=("a", "b", "c")),
    ]


def focus(form: Form, control: type[Any]) -> None:
    form.screen.set_focus(form.query(control).first())


async def type_in(screen: Shown, text: str) -> None:
    for character in text:
        await screen.pilot.press("space" if character == " " else character)
    await screen.settle()


def advice(screen: Shown, word: str) -> str:
    """Return what stands beside a field, and below it as far as it is empty there."""
    at = next(index for index, line in enumerate(screen.lines) if line.startswith(word))
    return " ".join(screen.lines[at].split()[1:])


async def test_it_is_submitted_only_when_all_holds() -> None:
    form = Form(entries())
    async with shown(form, 80, 20) as screen:
        focus(form, FormLine)
        await type_in(screen, "x")
        assert form.query_one("#submit").has_class("-invalid")
        await screen.pilot.press("enter")
        await screen.settle()
        assert not screen.of(Form.Submitted)
        assert form.screen.focused is form.query(FormLine).last()
        await type_in(screen, "12")
        assert "! must be at most 9" in advice(screen, "Count")
        await screen.pilot.press("backspace")
        await screen.settle()
        assert "!" not in advice(screen, "Count")
        assert not form.query_one("#submit").has_class("-invalid")
        await screen.pilot.press("enter")
        await screen.settle()
        assert [message.values for message in screen.of(Form.Submitted)] == [
            {"name": "x", "count": 1, "kind": "b"}
        ]


async def test_tab_and_enter_do_not_lose_what_is_wrong() -> None:
    form = Form(entries())
    async with shown(form, 80, 20) as screen:
        focus(form, FormLine)
        await type_in(screen, "x")
        form.screen.set_focus(form.query_one(FormChoice))
        form.step(1)
        await screen.pilot.press("enter")
        await screen.settle()
        assert not screen.of(Form.Cancelled) and not screen.of(Form.Submitted)
        assert form.screen.focused is form.query(FormLine).last()
        assert form.texts["name"] == "x"


async def test_what_is_wrong_together_is_shown_beside_the_field() -> None:
    def check(values: Mapping[str, Any]) -> dict[str, str]:
        return {"count": "too many for an a"} if values.get("kind") == "a" else {}

    form = Form(entries(text="3"), check=check, preview=lambda values: f"in all {values['count']}")
    async with shown(form, 80, 20) as screen:
        await screen.settle()
        assert any("in all 3" in line for line in screen.lines)
        focus(form, FormChoice)
        await screen.pilot.press("left")
        await screen.settle()
        assert "! too many for an a" in advice(screen, "Count")
        assert form.query_one("#submit").has_class("-invalid")
        assert not any("in all" in line for line in screen.lines)
        await screen.pilot.press("space", "enter")
        await screen.settle()
        assert screen.of(Form.Submitted)[0].values["kind"] == "b"


async def test_names_are_completed_with_the_arrows() -> None:
    form = Form(entries(text="1"))
    async with shown(form, 80, 20) as screen:
        focus(form, FormLine)
        await type_in(screen, "e")
        line = form.query(FormLine).first()
        seen = []
        for _ in range(4):
            await screen.pilot.press("down")
            seen.append(line.value)
        assert seen == ["geo.resize", "geo.join", "mail.send", "geo.resize"]
        await screen.pilot.press("up")
        assert line.value == "mail.send"
        assert "bad\x1b" not in line.options


async def test_the_arrows_leave_a_field_without_completions() -> None:
    form = Form(entries())
    async with shown(form, 80, 20) as screen:
        form.screen.set_focus(form.query(FormLine).last())
        await screen.pilot.press("down")
        await screen.settle()
        assert isinstance(form.screen.focused, FormChoice)


async def test_hostile_text_is_shown_harmless_and_counts_as_it_came() -> None:
    form = Form(
        [
            FormField("line", "Line", str, HOSTILE),
            FormField("area", "Area", str, HOSTILE, kind="area"),
            FormField("read_only", "Read-only", str, HOSTILE, kind="read_only"),
            FormField("explained", "Explained", str, "x", explain=lambda value: HOSTILE),
        ],
        preview=lambda values: HOSTILE,
    )
    async with shown(form, 80, 20) as screen:
        await screen.settle()
        text = "\n".join(screen.lines)
        assert "\x1b" not in text and "‮" not in text
        assert form.values == dict.fromkeys(("line", "area", "read_only"), HOSTILE) | {
            "explained": "x"
        }
        focus(form, FormLine)
        await screen.pilot.press("end", "x")
        await screen.settle()
        assert form.values["line"] == "\\x1b[31m[/]<U+202E>evil\\nlinex"


async def test_pasted_text_is_made_harmless() -> None:
    form = Form([FormField("line", "Line"), FormField("area", "Area", read_list, kind="area")])
    async with shown(form, 80, 20) as screen:
        for control in (FormLine, FormArea):
            focus(form, control)
            form.screen.focused.post_message(events.Paste('["a\x1b\u202e"]\n'))  # type: ignore[union-attr]
            await screen.settle()
        assert "\x1b" not in "\n".join(screen.lines)
        assert form.texts["line"] == '["a\\x1b<U+202E>"]'
        assert form.values["area"] == ("a\x1b\u202e",)


async def test_what_is_left_alone_keeps_its_value_and_what_is_flagged_has_to_be_changed() -> None:
    kept = object()
    form = Form(
        [
            FormField("kept", "Kept", str, "as text", value=kept),
            FormField("flagged", "Flagged", str, "***", flag="it is hidden"),
        ]
    )
    async with shown(form, 80, 20) as screen:
        await screen.settle()
        assert form.values == {"kept": kept}
        assert "! it is hidden" in advice(screen, "Flagged")
        form.screen.set_focus(form.query(FormLine).last())
        await type_in(screen, "x")
        assert form.values == {"kept": kept, "flagged": "x"}
        focus(form, FormLine)
        await screen.pilot.press("end")
        await type_in(screen, "x")
        assert form.values["kept"] == "as textx"
        await screen.pilot.press("backspace")
        await screen.settle()
        assert form.values["kept"] is kept


async def test_what_was_typed_can_be_put_back() -> None:
    form = Form(entries(text="1", value=5))
    form.restore({"name": "n", "count": "7", "kind": "c"})
    async with shown(form, 80, 20) as screen:
        await screen.settle()
        assert form.values == {"name": "n", "count": 7, "kind": "c"}
        assert form.touched("name")
        form.put("name", "m")
        await screen.settle()
        assert form.values["name"] == "m" and not form.touched("name")


async def test_many_fields_scroll_and_the_button_stays_in_sight() -> None:
    form = Form([FormField(f"f{at}", f"Field{at}") for at in range(30)])
    async with shown(form, 60, 12) as screen:
        form.fit(12)
        await screen.settle()
        focus(form, Input)
        form.step(29)
        await screen.settle()
        assert form.screen.focused is form.query(FormLine).last()
        assert any(line.startswith("Field29") for line in screen.lines)
        assert any("Continue" in line for line in screen.lines)
        assert form.position == "30 of 30"
        form.step(1)
        assert isinstance(form.screen.focused, Button)
        assert form.position == "30 fields"
        form.step(2)
        assert form.screen.focused is form.query(FormLine).first()


async def test_a_low_form_shows_fields_before_its_notes() -> None:
    fields = [FormField(f"f{at}", f"Field{at}", hint="h " * 30) for at in range(6)]
    form = Form(fields, notes=["note one", "note two"], preview=lambda values: "p " * 60)
    async with shown(form, 60, 30) as screen:
        form.fit(30)
        await screen.settle()
        assert screen.lines[0].startswith("note one") and form.position == ""
        await screen.pilot.resize_terminal(60, 9)
        form.fit(9)
        focus(form, Input)
        await screen.settle()
        names = [line[:6] for line in screen.lines if line.startswith("Field")]
        assert names == ["Field0", "Field1", "Field2", "Field3", "Field4"]
        assert form.position == "1 of 6"
        await screen.pilot.resize_terminal(60, 30)
        form.fit(30)
        await screen.settle()
        assert [line.rstrip() for line in screen.lines[:2]] == ["note one", "note two"]


async def test_the_buttons_are_pressed_by_enter_and_by_the_mouse() -> None:
    form = Form(entries(text="1"))
    async with shown(form, 80, 20) as screen:
        await screen.pilot.click("#submit")
        await screen.settle()
        assert len(screen.of(Form.Submitted)) == 1
        form.screen.set_focus(form.query_one("#cancel"))
        await screen.pilot.press("enter")
        await screen.settle()
        assert len(screen.of(Form.Cancelled)) == 1


async def test_the_shown_completion_can_be_taken_over() -> None:
    form = Form(entries())
    async with shown(form, 80, 20) as screen:
        focus(form, FormLine)
        line = form.query(FormLine).first()
        assert not line.complete()
        await type_in(screen, "geo.r")
        assert line.complete()
        assert line.text == "geo.resize"
        assert not line.complete()
