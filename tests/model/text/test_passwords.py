"""Passwords in URLs and configurations are masked."""

from __future__ import annotations

import pytest
from celtop.model.text.passwords import mask, mask_reply, mask_text, mask_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://:secret@h:6379/0", "redis://***@h:6379/0"),
        ("redis://user:secret@h/0", "redis://user:***@h/0"),
        ("redis://secret@h/0", "redis://***@h/0"),
        ("amqp://ann:s@cr/et@h//", "amqp://ann:***@h//"),
        ("amqp://ann:s#e?c@h//", "amqp://ann:***@h//"),
        ("redis://:secret@a;redis://:secret@b", "redis://***@a;redis://***@b"),
        ("redis://h/0?password=secret&db=1", "redis://h/0?password=***&db=1"),
        ("db+postgresql://ann:secret@h/x", "db+postgresql://ann:***@h/x"),
        ("sentinel://:secret@a:26379;sentinel://b:26379", "sentinel://***@a:26379;sentinel://b:26379"),
    ],
)  # fmt: skip
def test_passwords_in_urls_are_masked(url: str, shown: str) -> None:
    assert mask_url(url) == mask_text(url) == shown
    assert mask_text(f"cannot reach {url}: refused") == f"cannot reach {shown}: refused"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://h/db?pasword=a&sslmode=require", "postgresql://h/db?pasword=***&sslmode=require"),
        ("postgres://h/db?scram_client_key=a&sslpassword=b", "postgres://h/db?scram_client_key=***&sslpassword=***"),
        ("db+postgresql+psycopg://h/db?secret", "db+postgresql+psycopg://h/db?***"),
        ("redis://h/0?pasword=a&nosuch=b", "redis://h/0?pasword=a&nosuch=b"),
    ],
)  # fmt: skip
def test_unknown_parameters_of_postgresql_are_masked(url: str, shown: str) -> None:
    assert mask_url(url) == shown


@pytest.mark.parametrize("text", ["a", "a://", "a://b", "?", "?pass", "&secret?token"])
def test_masking_a_long_text_is_fast(text: str) -> None:
    """A worker's error may be of any length; quadratic time would be an hour for this one."""
    long = text * (1_000_000 // len(text))
    assert mask_text(long) == long
    assert mask_text("a://" + "b" * 1_000_000 + ":c@d") == "a://" + "b" * 1_000_000 + ":***@d"


def test_passwords_in_tables_are_masked() -> None:
    options = {
        "password": "x",
        "sentinel_kwargs": {"password": "y", "socket_timeout": 3},
        "urls": ["redis://:z@h"],
        "global_keyprefix": "acme:",
        "nothing_secret_token": None,
    }
    assert mask(options) == {
        "password": "***",
        "sentinel_kwargs": {"password": "***", "socket_timeout": 3},
        "urls": ["redis://***@h"],
        "global_keyprefix": "acme:",
        "nothing_secret_token": None,
    }


def test_deeply_nested_values_are_masked_as_a_whole() -> None:
    deep: object = "redis://:secret@h"
    for _ in range(5_000):
        deep = {"a": [deep]}
    masked = mask({"deep": deep, "flat": 1})
    assert masked["flat"] == 1
    assert len(repr(masked)) < 1_000 and "***" in repr(masked)


def test_names_of_tasks_and_entries_in_replies_are_no_secrets() -> None:
    conf = {
        "CELERY_BROKER_URL": "redis://:hunter22@h/0",
        "task_routes": {"auth.send_token": {"queue": "mail"}},
        "beat_schedule": {"expire-tokens": {"task": "t", "kwargs": {"password": "hunter22"}}},
        "broker_transport_options": {"sentinel_kwargs": {"password": "hunter22"}},
        "db_password": "hunter22",
    }
    shown = mask_reply(conf)
    assert "hunter22" not in str(shown)
    assert shown["task_routes"] == conf["task_routes"]
    assert shown["beat_schedule"]["expire-tokens"]["task"] == "t"
    assert mask_reply({"total": {"auth.reset_password": 3}}) == {
        "total": {"auth.reset_password": 3}
    }
