"""URLs with raw special characters in their passwords."""

from __future__ import annotations

import string
from urllib.parse import unquote, urlsplit

import pytest
from celtop.model.text.passwords import mask_text, mask_url
from celtop.model.text.urls import passwords, quote_credentials, split_urls

ODD = [*string.punctuation, " ", "é", "@/", "/@", "#[", "]:", ":[", "%41", "%zz", ";amqp:"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "shape", ["redis://:{}@h:6379/0", "amqp://ann:{}@h.x//", "redis://:{}@[::1]/0"]
)
def test_a_password_may_contain_any_character(odd: str, shape: str) -> None:
    secret = f"hunter{odd}two"
    url = shape.format(secret)
    parts = urlsplit(quote_credentials(url))
    expected = unquote(secret)
    assert (unquote(parts.password or ""), parts.hostname) == (
        expected,
        urlsplit(shape.format("x")).hostname,
    )
    for shown in (mask_url(url), mask_url(f"{url};redis://b/0"), mask_text(f"'{url}' refused")):
        assert "hunter" not in shown and "two" not in shown
    assert split_urls(f"{url}; {url}") == (url, url)
    assert {secret, expected} <= set(passwords(url))


@pytest.mark.parametrize(
    "url",
    [
        "redis://h:6379/0",
        "redis://h/0?name=a@b",
        "amqp://ann:pw@h:5672/%2Fx?a=b@c",
        "amqp://ann:p%40w@h//",
        "redis+socket:///run/redis.sock?virtual_host=3",
        "rediss://:pw@h/0?ssl_ca_certs=/a/b.pem&ssl_cert_reqs=required",
        "sqs://",
        "localhost:5672",
        "memory://",
    ],
)
def test_a_valid_url_is_left_as_it_is(url: str) -> None:
    assert quote_credentials(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "Connected to redis://localhost:6379/0, worker celery@host",
        "redis://h/0: worker celery@host refused",
        "see https://docs.celeryq.dev or write to me@host",
    ],
)
def test_text_around_a_url_is_not_a_password(text: str) -> None:
    assert mask_text(text) == text
