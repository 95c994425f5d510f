from __future__ import annotations

from celtop.bindings import ACTIONS
from celtop.bindings.contexts import ACTIVE_TOGETHER, CONTEXT_TITLES


def test_ids_are_unique() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))


def test_what_changes_the_cluster_is_uppercase_and_off_ctrl() -> None:
    for action in ACTIONS:
        if action.mutates:
            assert all(len(key) == 1 and key == key.upper() for key in action.keys), action.id


def test_every_action_has_its_place_and_words() -> None:
    for action in ACTIONS:
        assert action.keys and action.contexts and action.label and action.help, action.id
        assert set(action.contexts) <= set(CONTEXT_TITLES)
        assert all(ord(letter) < 128 for letter in action.help + action.label)


def test_the_slash_opens_a_line_on_every_screen() -> None:
    """Letters typed after it must never run as keys."""
    for contexts in ACTIVE_TOGETHER:
        if "global" in contexts:
            actions = [each for each in ACTIONS if not {*contexts}.isdisjoint(each.contexts)]
            assert [each.id for each in actions if "/" in each.keys], contexts
