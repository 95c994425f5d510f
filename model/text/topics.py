"""Routing keys of AMQP's topic exchanges, also as kombu emulates them."""

from __future__ import annotations


def topic_matches(pattern: str, routing_key: str) -> bool:
    """Return whether a binding's pattern matches: `*` is one word, `#` any number of words."""
    words = routing_key.split(".")
    matched = {0}
    """How many of the words the pattern up to here may have matched."""
    for word in pattern.split("."):
        if word == "#":
            matched = set(range(min(matched), len(words) + 1))
        else:
            matched = {n + 1 for n in matched if n < len(words) and word in ("*", words[n])}
        if not matched:
            return False
    return len(words) in matched
