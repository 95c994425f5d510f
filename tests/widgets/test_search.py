from __future__ import annotations

from celtop.widgets.search import START, Match, beside, find

TEXTS = [["one Timeout", "two"], [], ["timeout, timeout"]]


def test_matches_are_found_in_the_order_of_the_screen() -> None:
    assert find(TEXTS, "timeout") == [Match(0, 0, 4, 11), Match(2, 0, 0, 7), Match(2, 0, 9, 16)]


def test_an_uppercase_letter_makes_the_search_case_sensitive() -> None:
    assert find(TEXTS, "Timeout") == [Match(0, 0, 4, 11)]


def test_the_text_is_not_a_pattern() -> None:
    assert find([["a.c", "abc"]], "a.c") == [Match(0, 0, 0, 3)]


def test_nothing_is_found_by_an_empty_search() -> None:
    assert find(TEXTS, "") == []


def test_after_the_last_match_comes_the_first() -> None:
    first, second, last = find(TEXTS, "timeout")
    assert beside([first, second, last], START, 1) == first
    assert beside([first, second, last], first, 1) == second
    assert beside([first, second, last], last, 1) == first
    assert beside([first, second, last], first, -1) == last
    assert beside([], first, 1) is None


def test_the_search_goes_on_from_a_match_that_is_gone() -> None:
    first, second, last = find(TEXTS, "timeout")
    assert beside([first, last], second, 1) == last
    assert beside([first, last], second, -1) == first
