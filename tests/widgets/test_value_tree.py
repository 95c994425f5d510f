from __future__ import annotations

from celtop.tests.widgets.screen_text import HOSTILE, SHOWN, shown
from celtop.widgets.glyphs import ASCII
from celtop.widgets.value_tree import GUIDE, PAGE_ITEMS, ValueTree
from textual.geometry import Size


async def test_values_open_into_trees() -> None:
    tree = ValueTree()
    async with shown(tree, 60, 12) as screen:
        tree.show({"args": "(1, 'two')", "kwargs": '{"deep": {"er": null}}', "result": None})
        await screen.settle()
        assert [line.rstrip() for line in screen.lines[:7]] == [
            "▾ args  tuple of 2",
            "├ 0  1",
            '└ 1  "two"',
            "▾ kwargs  object of 1",
            "└ ▸ deep  object of 1",
            "result  ?",
            "",
        ]
        tree.cursor_line = 4
        tree.action_open()
        await screen.settle()
        assert [line.strip() for line in screen.lines[4:6]] == [
            "└ ▾ deep  object of 1",
            "└ er  None",
        ]
        tree.action_move("bottom")
        await screen.settle()
        assert tree.cursor_line == 6


async def test_texts_that_are_no_values_are_shown_raw() -> None:
    tree = ValueTree()
    async with shown(tree, 70, 6) as screen:
        tree.show({"args": "('C:\\new', ...)", "kwargs": HOSTILE})
        await screen.settle()
        assert screen.lines[0] == "args  ('C:\\new', ...)"
        assert screen.lines[1] == f"kwargs  {SHOWN}\\n\\x07"


async def test_hostile_values_inside_a_tree() -> None:
    tree = ValueTree()
    async with shown(tree, 70, 6) as screen:
        tree.show({"kwargs": '{"[/]\\u001b": "[b]\\u001b[31m\\u202e"}'})
        await screen.settle()
        assert screen.lines[1] == '└ [/]\\x1b  "[b]\\x1b[31m<U+202E>"'


async def test_long_values_are_opened_piece_by_piece() -> None:
    tree = ValueTree()
    async with shown(tree, 70, 8) as screen:
        tree.show({"result": repr(list(range(1000))), "text": "x" * 10_000_000})
        await screen.settle()
        assert len(tree.root.children) == 2
        items, text = tree.root.children
        assert not items.children
        items.expand()
        await screen.settle()
        assert len(items.children) == PAGE_ITEMS + 1
        assert str(items.children[-1].label) == "800 more"
        items.children[-1].expand()
        await screen.settle()
        assert str(items.children[-1].children[0].label) == f"{PAGE_ITEMS}  {PAGE_ITEMS}"
        text.expand()
        await screen.settle()
        assert len(text.children) == PAGE_ITEMS + 1


async def test_a_tree_in_ascii() -> None:
    tree = ValueTree(glyphs=ASCII)
    async with shown(tree, 60, 6) as screen:
        tree.show({"args": "(1, [2])"})
        await screen.settle()
        assert all(line.isascii() for line in screen.lines)
        assert screen.lines[0] == "- args  tuple of 2"


def test_its_height_is_that_of_its_values_before_they_are_drawn() -> None:
    tree = ValueTree()
    tree.show({"args": "1", "kwargs": "2"})
    size = Size(40, 10)
    assert tree.get_content_height(size, size, 40) == 2


async def test_a_text_wider_than_the_tree_is_broken_into_lines() -> None:
    tree = ValueTree()
    text = "not a literal, " * 6
    async with shown(tree, 50, 9) as screen:
        tree.show({"args": text, "kwargs": repr({"key": "k" * 100})})
        await screen.settle()
        assert screen.lines[0] == "▾ args  90 characters"
        raw = " ".join(line.strip("├└ ") for line in screen.lines[1:4])
        assert raw.startswith(text[:60])
        assert not tree.show_horizontal_scrollbar
        (kwargs,) = [node for node in tree.root.children if "kwargs" in str(node.label)]
        (key,) = kwargs.children
        assert str(key.label).endswith('…"') and key.allow_expand
        await screen.pilot.resize_terminal(130, 9)
        await screen.settle()
        assert any(line.endswith('"' + "k" * 100 + '"') for line in screen.lines)


async def test_an_open_text_fits_beside_the_scrollbar_and_stays_open_at_another_width() -> None:
    tree = ValueTree()
    async with shown(tree, 50, 6) as screen:
        tree.show({"args": "1", "kwargs": repr({"key": "k" * 900})})
        await screen.settle()
        tree.root.children[1].children[0].expand()
        await screen.until(lambda: tree.show_vertical_scrollbar)
        tree.cursor_line = 3
        assert not tree.show_horizontal_scrollbar
        await screen.pilot.resize_terminal(60, 6)
        await screen.settle()
        assert tree.root.children[1].children[0].is_expanded and tree.cursor_line == 3
        assert max(line.count("k") for line in screen.lines) == 60 - 3 * GUIDE - 2
