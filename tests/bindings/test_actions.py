from __future__ import annotations

from celtop.bindings import ACTIONS
from celtop.bindings.contexts import CONTEXT_TITLES


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
