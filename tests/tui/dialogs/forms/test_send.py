"""The form of a task that is to be sent, on the screen and with keys."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from celtop.model.ingest.redaction import Redaction
from celtop.model.operations.call import Call, Recovered, SentTask, Unrecoverable
from celtop.model.operations.commands import Trigger
from celtop.tests.tui.app_under_test import screen_lines
from celtop.tests.tui.fake_session import NOW, cluster
from celtop.tests.tui.form_app import FormUnderTest, opened
from celtop.tui.dialogs.confirm import ConfirmDialog
from celtop.tui.dialogs.forms.base import FormDialog
from celtop.tui.operations.tasks.send import trigger

# Triggering


async def test_a_task_is_triggered_as_it_is_typed() -> None:
    async with opened() as on:
        await on.press("2", "t")
        await on.dialog(FormDialog)
        await on.write("images.res")
        await on.press("down")
        assert on.form.texts["name"] == "images.resize"
        await on.press("tab")
        await on.pilot.pause(0.1)
        assert on.form.texts["queue"] == "celery"
        await on.write('["ü", 1.5]')
        await on.press("tab")
        await on.write('{"size": [1, null]}')
        await on.press("tab", "tab")
        await on.write("3")
        await on.press("tab")
        await on.write("90s")
        await on.press("tab", "tab")
        await on.write("2h")
        assert "images.resize('ü', 1.5, size=[1, None])" in on.text
        await on.press("enter")
        assert await on.done() == Trigger(
            calls=(
                Call(
                    name="images.resize",
                    args=("ü", 1.5),
                    kwargs={"size": [1, None]},
                    queue="celery",
                    priority=3,
                    countdown=90.0,
                    expires_in=7200.0,
                ),
            )
        )


async def test_nothing_is_sent_while_anything_is_wrong() -> None:
    async with opened() as on:
        await on.press("5", "t")
        await on.dialog(FormDialog)
        await on.press("tab")
        for text, why in (
            ("[1e999]", "too large"),
            ("[1,", "at the end"),
            ("[NaN]", "not valid JSON"),
        ):
            await on.write(text)
            assert why in on.advice("args")
            await on.press("enter")
            assert isinstance(on.app.screen, FormDialog) and not on.session.done
            await on.press(*["backspace"] * len(text))
        await on.press("tab", "tab", "tab", "tab")
        await on.write("5m")
        await on.press("tab")
        await on.write("09:00")
        assert on.advice("eta_at") == "! cannot be combined with a countdown"
        await on.press("enter", "escape")
        assert not on.session.done


async def test_the_label_of_the_field_that_is_typed_into_stands_out() -> None:
    def standing_out(on: FormUnderTest) -> list[str]:
        rows = on.form.rows.values()
        return [row.field.id for row in rows if row.query_one(".label").styles.text_style.bold]

    async with opened() as on:
        await on.press("5", "t")
        await on.dialog(FormDialog)
        assert standing_out(on) == ["name"]
        await on.press("tab")
        assert standing_out(on) == ["args"]
        await on.press("tab", "tab")
        assert standing_out(on) == ["queue"]


async def test_keys_typed_ahead_are_done_in_their_order() -> None:
    async with opened() as on:
        await on.press("5", "t")
        await on.dialog(FormDialog)
        await on.type_fast("tab", *"[1,2", *["backspace"] * 4, *"[7]", "tab", *"{", "backspace")
        assert (on.form.texts["args"], on.form.texts["kwargs"]) == ("[7]", "")
        await on.type_fast("tab", "end", *"x", "backspace", "enter")
        assert (await on.done()).calls[0].args == (7,)


async def test_what_was_typed_is_there_again_if_it_is_not_confirmed() -> None:
    async with opened() as on:
        await on.press("5", "t")
        await on.dialog(FormDialog)
        await on.press("tab")
        await on.write("[5]")
        await on.press("enter")
        await on.dialog(ConfirmDialog)
        await on.press("escape")
        await on.dialog(FormDialog)
        assert on.form.texts["args"] == "[5]"
        await on.press("escape")
        assert not on.session.done and not isinstance(on.app.screen, FormDialog)


async def test_the_queue_follows_the_name_until_it_is_typed() -> None:
    state = cluster(40)
    async with opened(state) as on:
        await on.press("2", "t")
        await on.dialog(FormDialog)
        await on.write("geo.convert_to_raster")
        assert on.form.texts["queue"] == "geo_processing"
        await on.press("tab", "tab", "tab")
        await on.write("x")
        await on.press("shift+tab", "shift+tab", "shift+tab")
        await on.press(*["backspace"] * 40)
        await on.write("mail.send")
        assert on.form.texts["queue"] == "geo_processingx"


async def test_the_queue_that_is_given_is_never_replaced_by_the_usual_one() -> None:
    async with opened() as on:
        call = msgspec.structs.replace(EXACT.call, name="geo.convert_to_raster", queue="celery")
        await open_with(on, msgspec.structs.replace(EXACT, call=call))
        assert on.form.texts["queue"] == "celery"
        await on.press("home")
        await on.write("x")
        await on.press("backspace")
        await on.press("enter")
        assert (await on.done()).calls[0].queue == "celery"


async def test_the_eta_is_read_in_the_zone_of_the_screen_and_explained() -> None:
    async with opened() as on:
        await on.press("5", "t")
        await on.dialog(FormDialog)
        await on.press(*["tab"] * 6)
        await on.write("09:30")
        assert on.form.values["eta_at"] == NOW + 5400
        assert on.advice("eta_at") == "2027-01-15 09:30:00, in 1 h 30 m"
        await on.press(*["backspace"] * 5)
        await on.write("2020-01-01T00:00Z")
        assert "starts immediately" in on.advice("eta_at")


async def open_with(on: FormUnderTest, known: Call | Recovered) -> None:
    on.app.begin(trigger(on.app, known, "old-id"))
    await on.dialog(FormDialog)


EXACT = SentTask(
    "old-id",
    Call(
        name="mail.send",
        args=(Decimal("1.10"), "\x1b[31m‮[/]"),
        kwargs={"a": (1, 2)},
        queue="celery",
        priority=4,
        time_limit=60.0,
        headers={"tenant": "t1"},
    ),
    "queue",
    NOW,
    missing=("callbacks",),
)


async def test_what_is_left_alone_is_sent_as_the_value_that_is_known() -> None:
    async with opened() as on:
        await open_with(on, EXACT)
        assert "\x1b" not in on.text and "‮" not in on.text
        assert "the message in the queue" in on.text and "callbacks" in on.text
        await on.press("enter")
        call = (await on.done()).calls[0]
        assert call == msgspec.structs.replace(EXACT.call, retry_of="old-id")
        assert isinstance(call.args[0], Decimal) and isinstance(call.kwargs["a"], tuple)


async def test_an_exact_value_can_be_edited_as_typed_json() -> None:
    async with opened() as on:
        await open_with(on, EXACT)
        args = on.form.texts["args"]
        assert '"__type__": "decimal"' in args
        on.form.put("args", args.replace("1.10", "2.20"))
        await on.pilot.pause()
        await on.press("enter")
        assert (await on.done()).calls[0].args == (Decimal("2.20"), "\x1b[31m‮[/]")


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (Unrecoverable("old-id", "cut", Call(name="mail.send", queue="celery"),
                       "('aaa...',)", "{}"), "truncated or unreadable"),
        (Unrecoverable("old-id", "gone", Call(name="mail.send", queue="celery")), "unknown: type"),
        (Unrecoverable("old-id", "hidden", Call(name="mail.send", queue="celery"),
                       "('***',)", "{}"), "contains ***"),
        (msgspec.structs.replace(EXACT, readable=False), "unknown: type"),
    ],
)  # fmt: skip
async def test_what_is_cut_hidden_or_unknown_has_to_be_typed(known: Recovered, why: str) -> None:
    async with opened() as on:
        await open_with(on, known)
        assert why in on.advice("args")
        await on.press("enter")
        assert isinstance(on.app.screen, FormDialog) and not on.session.done
        on.form.put("args", '["x"]')
        if "kwargs" not in on.form.values:
            on.form.put("kwargs", "{}")
        await on.pilot.pause()
        await on.press("enter")
        call = (await on.done()).calls[0]
        assert call.args == ("x",) and call.retry_of == "old-id"


async def test_what_an_event_has_whole_is_kept_although_the_rest_was_cut() -> None:
    known = Unrecoverable(
        "old-id", "cut", Call(name="mail.send", queue="celery"), "('aaa...',)", "{'a': (1, 'b')}"
    )
    async with opened() as on:
        await open_with(on, known)
        assert on.form.values["kwargs"] == {"a": (1, "b")}
        assert "args" not in on.form.values


async def test_what_the_users_patterns_hide_is_neither_shown_nor_sent() -> None:
    state = cluster(40)
    state.redaction = Redaction(["password"])
    known = SentTask("old-id", Call(name="mail.send", kwargs={"password": "s3cret", "n": 1},
                                    queue="celery"), "queue", NOW)  # fmt: skip
    async with opened(state) as on:
        await open_with(on, known)
        assert "s3cret" not in on.text and "***" in on.text
        await on.press("enter")
        assert isinstance(on.app.screen, FormDialog)
        on.form.put("kwargs", '{"password": "***", "n": 2}')
        await on.pilot.pause()
        assert "kwargs" not in on.form.values
        on.form.put("kwargs", '{"password": "new", "n": 2}')
        await on.pilot.pause()
        assert on.form.values["kwargs"] == {"password": "new", "n": 2}


async def test_what_is_too_long_to_edit_is_sent_as_it_is() -> None:
    long = ("x" * 100_000,)
    known = SentTask("old-id", Call(name="mail.send", args=long, queue="celery"), "backend", NOW)
    async with opened() as on:
        await open_with(on, known)
        assert "too long to edit" in on.advice("args")
        await on.press("enter")
        assert (await on.done()).calls[0].args == long


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_the_form_fits_small_terminals(size: tuple[int, int]) -> None:
    async with opened(size=size, ascii=True) as on:
        await on.press("5", "t")
        await on.dialog(FormDialog)
        await on.press("shift+tab", "shift+tab", "shift+tab")
        assert "Expires in" in on.text and "Cancel" in on.text
        dialog = [line for line in screen_lines(on.app) if "|" in line]
        assert dialog and all(line.isascii() for line in dialog)


async def test_a_form_that_is_closed_before_it_is_laid_out_changes_nothing() -> None:
    async with opened() as on:
        await on.press("2", "t")
        dialog = await on.dialog(FormDialog)
        await on.press("escape")
        assert on.app.screen is not dialog
        # What was to be done after the next refresh is done although the form is gone.
        dialog._fit()
        dialog._show_position()
