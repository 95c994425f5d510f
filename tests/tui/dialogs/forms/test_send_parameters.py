"""The form of a task whose app is known has a field for each parameter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from celtop.model.entities.registered_task import Parameter, RegisteredTask
from celtop.model.operations.call import Call
from celtop.model.operations.commands import Trigger
from celtop.tests.tui.app_under_test import screen_lines
from celtop.tests.tui.form_app import FormUnderTest, opened
from celtop.tui.dialogs.forms.base import FormDialog
from celtop.tui.operations.tasks.send import trigger

RESIZE = RegisteredTask(
    "images.resize",
    parameters=(
        Parameter("path", annotation="str"),
        Parameter("width", annotation="int", default="640"),
        Parameter("crop_to_square", "keyword", "bool", "False"),
        Parameter("options", "kwargs"),
    ),
    summary="Resize an image.",
)


@asynccontextmanager
async def form_of(call: Call) -> AsyncIterator[FormUnderTest]:
    async with opened() as on:
        on.app.context.settings._registered[RESIZE.name] = RESIZE
        on.app.run_worker(trigger(on.app, call))
        await on.dialog(FormDialog)
        yield on


async def test_each_parameter_is_typed_and_checked() -> None:
    async with form_of(Call(name="")) as on:
        assert "args" in on.form.rows
        await on.write("ages.resi")
        await on.press("tab")
        assert on.form.texts["name"] == "images.resize", "the only name that contains the text"
        await on.until(lambda: "argument:path" in on.form.rows)
        assert list(on.form.rows)[:6] == [
            "name",
            "argument:path",
            "argument:width",
            "argument:crop_to_square",
            "argument:options",
            "queue",
        ]
        assert "Resize an image." in on.advice("name")
        await on.press("tab")
        await on.write("7")
        await on.press("tab")
        await on.write("wide")
        assert on.advice("argument:width") == "! not a whole number: wide"
        await on.press(*["backspace"] * 4)
        assert on.advice("argument:width") == "int, default 640"
        await on.press("tab")
        await on.write("t")
        await on.press("tab", "tab")
        assert any("crop_to_square" in line and "true" in line for line in screen_lines(on.app))
        await on.press("enter")
        sent = await on.done()
        assert isinstance(sent, Trigger)
        (call,) = sent.calls
        assert (call.name, call.args) == ("images.resize", ())
        assert call.kwargs == {"path": "7", "crop_to_square": True}


async def test_known_arguments_are_edited_one_by_one() -> None:
    call = Call("images.resize", ("a.png", 10), {"quality": 3}, queue="celery")
    async with form_of(call) as on:
        assert on.form.texts["argument:path"] == "a.png"
        assert on.form.texts["argument:width"] == "10"
        assert on.form.texts["argument:options"] == '{"quality": 3}'


async def test_arguments_that_do_not_fit_are_edited_as_json() -> None:
    async with form_of(Call("images.resize", (1, 2, 3), queue="celery")) as on:
        assert on.form.texts["args"] == "[1, 2, 3]"


async def test_another_task_has_other_fields() -> None:
    async with form_of(Call("images.resize", queue="celery")) as on:
        assert "argument:path" in on.form.rows
        await on.write("d")
        await on.until(lambda: "args" in on.form.rows)
        assert "argument:path" not in on.form.rows
        await on.press("backspace")
        await on.until(lambda: "argument:path" in on.form.rows)
