"""Which queue an exchange's bindings route a message to."""

from __future__ import annotations

import pytest
from celtop.cluster.connection.redis.keys import Binding, bound_queue, routes


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("mail.*", "mail.eu", True),
        ("mail.*", "mail.eu.fast", False),
        ("mail.#", "mail", True),
        ("mail.#", "mail.eu.fast", True),
        ("#.fast", "mail.eu.fast", True),
        ("#.fast", "mail.eu.slow", False),
        ("*.eu.#.now", "mail.eu.x.y.now", True),
        ("#", "", True),
    ],
)
def test_wildcards_stand_for_words(pattern: str, key: str, expected: bool) -> None:
    assert routes(Binding(pattern, True, "q"), key) is expected


def test_a_message_in_several_queues_could_be_from_any() -> None:
    bindings = [Binding("mail", False, "a"), Binding("bill", False, "b"), Binding("#", True, "c")]
    assert bound_queue(bindings[:2], "bill") == "b"
    assert bound_queue(bindings, "bill") is None
    assert bound_queue(bindings, "other") == "c"
    assert bound_queue((), "bill") is None
