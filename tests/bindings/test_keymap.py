from __future__ import annotations

from itertools import combinations

import pytest
from celtop.bindings import ACTIONS
from celtop.bindings.contexts import ACTIVE_TOGETHER, Context
from celtop.bindings.keymap import Keymap, KeymapError, Keys


@pytest.mark.parametrize("contexts", ACTIVE_TOGETHER, ids=" ".join)
def test_no_default_key_has_two_meanings_in_one_place(contexts: tuple[Context, ...]) -> None:
    for one, other in combinations(Keymap().in_context(*contexts), 2):
        assert not set(one.keys) & set(other.keys), (one.id, other.id)


def test_sections_hold_each_action_once_the_asked_ones_first() -> None:
    sections = Keymap().by_context(("detail",))
    listed = [action.id for _, actions in sections for action in actions]
    assert sections[0][0] == "detail"
    assert sorted(listed) == sorted(action.id for action in ACTIONS)


def test_an_action_gets_other_keys_and_all_others_keep_theirs() -> None:
    keymap = Keymap().remapped({"task.revoke": "ctrl+x", "move.down": ["j", "↓"], "zoom": ""})
    assert keymap["task.revoke"].keys == ("ctrl+x",)
    assert keymap["move.down"].keys == ("j", "down")
    assert keymap["zoom"].keys == ()
    assert (keymap.key("task.revoke"), keymap.key("zoom")) == ("ctrl+x", "")
    changed = {"task.revoke", "move.down", "zoom"}
    assert [each for each in keymap.actions if each.id not in changed] == [
        each for each in ACTIONS if each.id not in changed
    ]
    assert Keymap()["task.revoke"].keys == ("X",)


def test_two_actions_may_swap_their_keys_and_a_key_that_became_free_may_be_used() -> None:
    keymap = Keymap().remapped({"task.revoke": "K", "task.terminate": "X"})
    assert (keymap.key("task.revoke"), keymap.key("task.terminate")) == ("K", "X")
    free = Keymap().remapped({"freeze": []}).remapped({"history.back": "p"})
    assert free.key("history.back") == "p"


@pytest.mark.parametrize(
    "keys",
    [
        {"form.next": "ctrl+n", "dialog.next": "ctrl+n", "move.down": "ctrl+n"},
        {"queue.purge": "L"},
        {"filter.clear": "ctrl+r"},
    ],
    ids=["form, dialog and list", "queues and task types", "filter over a list"],
)
def test_one_key_may_mean_different_things_in_different_places(keys: dict[str, Keys]) -> None:
    Keymap().remapped(keys)


@pytest.mark.parametrize(
    ("keys", "action", "message"),
    [
        ({"task.revok": "x"}, "task.revok", "unknown action .*; did you mean 'task.revoke'"),
        ({"zzz": "x"}, "zzz", "unknown action 'zzz'; `celtop config keys` lists all"),
        ({"task.revoke": "ctlr+x"}, "task.revoke", "task.revoke: unknown key 'ctlr.x'"),
        ({"task.revoke": 5}, "task.revoke", "task.revoke: "),
        ({"task.revoke": "j"}, "task.revoke", "'j' is also a key of move.down"),
        ({"move.down": "ctrl+r"}, "move.down", "also a key of refresh"),
        ({"worker.drain": "X"}, "worker.drain", "also a key of task.revoke"),
        ({"queue.purge": "ctrl+c"}, "queue.purge", "also a key of quit.now"),
        ({"confirm.yes": "ctrl+c"}, "confirm.yes", "also a key of quit.now"),
        ({"confirm.yes": "j"}, "confirm.yes", "also a key of dialog.next"),
        ({"zoom": "ctrl+o", "wide": "ctrl+o"}, "zoom", "also a key of wide"),
        ({"filter.keep": "k"}, "filter.keep", "'k' types a character there"),
        ({"command.run": "space"}, "command.run", "types a character there"),
    ],
)
def test_keys_that_cannot_be_used(keys: dict[str, Keys], action: str, message: str) -> None:
    with pytest.raises(KeymapError, match=message) as caught:
        Keymap().remapped(keys)
    assert caught.value.action == action
    assert "\n" not in str(caught.value)
