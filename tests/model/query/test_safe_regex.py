from __future__ import annotations

import re

import pytest
from celtop.model.query.safe_regex import safe_search


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a*)*",
        r"(?:a|b)*c",
        r"(a|aa)+$",
        r"(\d+,){3}",
        r"((a+)b)+",
        r"(a?){20}a{20}",
        r"(?P<x>a+)+",
        r"([)]+)+",
        r"(a{1,9})*",
        r"a?a?a?a?a?a?a?aaaaaaa",
        r"(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)",
        r"a*a*a*a*a*b",
        r"a{1,50}a{1,50}a{1,50}a{1,50}a{1,50}b",
        r"(?x) (a+) +",
        "a" * 501,
    ],
)
def test_patterns_that_could_take_forever_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"repeat|flag x|longer"):
        safe_search(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^bill", "Billing.send"),
        (r"bill|export|geo|x|y|z|q|w", "the export"),
        (r"(bill|export)\.\w+", "export.all"),
        (r"(ab){3}", "xababab"),
        (r"\d{4}-\d{2}", "on 2026-11"),
        (r"(a+)?b", "aab"),
        (r"[(+*]+", "x(+"),
        (r"\(\w+\)+", "(abc))"),
        (r".*foo.*bar.*baz.*", "a foo a bar a baz a"),
        (r".*?foo", "foo"),
        (r"end\.*", "END..."),
        (r"\w+\.\w+\.\w+", "a.b.c"),
        (r"a{,3}b", "aab"),
        (r"x{}", "x{}"),
        (r"(?i)A++b", "aab"),
    ],
)
def test_harmless_patterns_are_accepted(pattern: str, text: str) -> None:
    assert re.search(pattern, text, re.IGNORECASE), "the case itself is wrong"
    assert safe_search(pattern)(text)


@pytest.mark.parametrize("pattern", ["(", "[[", "*a", "a{2,1}", "(?P<", "\\", "(?<=a+)b", ".*+"])
def test_invalid_patterns_are_errors(pattern: str) -> None:
    if pattern == ".*+":
        assert safe_search(pattern)("x"), "a possessive repeat, since 3.11"
        return
    with pytest.raises(ValueError, match="not a regular expression"):
        safe_search(pattern)


@pytest.mark.parametrize(
    ("pattern", "reach"),
    [("x", 1024), (" *x", 1024), (" * *x", 512), (" * * *x", 128), (".* * * * *x", 64)],
)
def test_more_repeats_search_less_of_a_text(pattern: str, reach: int) -> None:
    test = safe_search(pattern)
    assert test(" " * (reach - 1) + "x")
    assert not test(" " * reach + "x")


@pytest.mark.parametrize("pattern", [r"a*a*b", r"a*a*a*b", r"a*a*a*a*b", r"(a|aa)(a|aa)a*b"])
def test_the_slowest_accepted_patterns_end(pattern: str) -> None:
    assert not safe_search(pattern)("a" * 100_000)
