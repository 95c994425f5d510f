from __future__ import annotations

from celtop.cluster.connection.backoff import backoff


def test_delays_double_up_to_the_maximum() -> None:
    assert [backoff(failures, 0.5, 15.0) for failures in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]


def test_no_number_of_failures_is_too_large() -> None:
    """Each of them ends a thread that overflows: after nine hours without a broker, say."""
    assert backoff(5_000, 1.0, 30.0) == 30.0
