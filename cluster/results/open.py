"""Determines the result backend and opens its reader.

The backend is named by celtop's settings, by the monitored app, or by the workers' configuration.
Workers mask passwords there (`celery.app.utils.filter_hidden_settings`), and every key with KEY or
DATABASE in its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from ...model.entities.broker import family_of
from ...model.text.passwords import mask_url
from ...model.text.urls import quote_credentials
from ...settings import Settings
from ..connection.broker import scheme_of
from ..connection.metering import ConnectionMeter
from .backends.base import ResultReader, UnavailableResults
from .backends.plugin import PluginResults, find_plugin

_HOW_TO_SET: Final = "set --result-backend or CELTOP_RESULT_BACKEND, or name the app with -A"
_DISABLED: Final = "the workers have no result backend, so results are not stored"
_NOT_REPORTED: Final = (
    f"the workers report no result backend; if CELERY_RESULT_BACKEND gives them one, {_HOW_TO_SET}"
)
_DJANGO_CACHE: Final = "Django's cache stores results as pickles, which celtop never loads"
_MASKED: Final = "***"
"""Part of every value that workers mask: eight asterisks, or two in URLs of older versions."""
_TRUNCATED_NAMES: Final = {
    "://ngo-db/": "django-db",
    "://ngo-cache/": "django-cache",
    "://abled/": "disabled",
}
"""Backend names as workers report them: Celery replaces three letters, as if it were a URL."""


def open_results(
    settings: Settings,
    worker_conf: Mapping[str, Any] | None = None,
    meter: ConnectionMeter | None = None,
) -> ResultReader:
    """Return the reader of the cluster's results; it connects with the first read.

    Args:
        settings: The settings; their `result_backend` takes precedence.
        worker_conf: A worker's reply to `inspect conf`; None if there is none yet.
        meter: The broker's meter, which also counts a result backend on the same server.

    Returns:
        A reader; `unavailable` is the reason if there is nothing to read.
    """
    conf = worker_conf or {}
    settings, reason = _with_options(settings, conf)
    url = settings.result_backend and quote_credentials(settings.result_backend)
    if not url:
        url, reason = _from_workers(settings, worker_conf, reason)
    if reason is not None:
        return UnavailableResults(reason)
    reader = _reader(url or "disabled", settings, conf, meter)
    options = settings.result_backend_transport_options, settings.redis_backend_use_ssl
    reader.location = (url, *options, conf.get("timezone"), conf.get("mongodb_backend_settings"))
    return reader


def _with_options(settings: Settings, conf: Mapping[str, Any]) -> tuple[Settings, str | None]:
    """Add the options that workers report; return a reason not to read if one is masked."""
    found: dict[str, Any] = {}
    reason = None
    for field in ("result_backend_transport_options", "redis_backend_use_ssl"):
        reported = conf.get(field)
        if getattr(settings, field) or not isinstance(reported, Mapping):
            continue
        if _MASKED in str(reported.get("global_keyprefix")):
            reason = (
                "the workers mask the key prefix of their results:"
                " set result_backend_transport_options, or name the app with -A"
            )
        found[field] = {key: value for key, value in reported.items() if _MASKED not in str(value)}
    return (settings.model_copy(update=found) if found else settings), reason


def _from_workers(
    settings: Settings, conf: Mapping[str, Any] | None, reason: str | None
) -> tuple[str | None, str | None]:
    """Return the URL that workers report, or the reason not to use it."""
    if conf is None:
        return None, f"the result backend is unknown; {_HOW_TO_SET}"
    reported = conf.get("result_backend")
    if not isinstance(reported, str) or not reported:
        return None, _NOT_REPORTED
    url = _TRUNCATED_NAMES.get(reported, reported)
    if "+socket://" in url:
        return None, f"the workers do not report the database in {mask_url(url)}: {_HOW_TO_SET}"
    if "**" in url:
        shared = _with_broker_login(url, settings.broker_url)
        if shared is None:
            return None, f"the workers mask the password of the result backend: {_HOW_TO_SET}"
        url = shared
    return url, reason


def _with_broker_login(url: str, broker_url: str) -> str | None:
    """Return the URL with the broker's login, if server and user are the broker's."""
    try:
        hidden, known = urlsplit(url), urlsplit(quote_credentials(broker_url))
        same = _server(hidden) == _server(known) and hidden.username == known.username
    except ValueError:
        return None
    if not same or hidden.scheme not in ("redis", "rediss") or ";" in url + broker_url:
        return None
    # The query is kept: it has the certificates, and workers remove it.
    return known._replace(path=hidden.path).geturl()


def _server(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or 6379


def _reader(
    url: str, settings: Settings, conf: Mapping[str, Any], meter: ConnectionMeter | None
) -> ResultReader:
    scheme, found, _ = url.partition("://")
    kind, _, engine = scheme.partition("+")
    if found and family_of(kind) == "redis":
        from .backends.redis import RedisResults

        return RedisResults(url, settings, _meter(url, settings, meter))
    if found and kind in ("db", "database") and engine:
        from .backends.database import DatabaseResults

        return DatabaseResults(url, settings, _zone(conf))
    if found and kind == "file":
        from .backends.filesystem import FileResults

        return FileResults(url, settings)
    if found and kind == "mongodb":
        return _mongodb(url, settings, conf)
    if kind == "cache":
        from .backends.memcached import SCHEMES, MemcachedResults

        if engine in SCHEMES:
            return MemcachedResults(url, settings)
    reason = _REASONS.get(url if kind == "cache" else kind) or _REASONS.get(engine)
    if reason is None and (plugin := find_plugin(scheme)) is not None:
        return PluginResults(plugin, url, settings)
    if reason is None and (kind == "django-db" or "." in kind or ":" in kind):
        if settings.app:
            from .backends.via_app import AppResults

            return AppResults(url, settings)
        reason = f"results in {mask_url(url)} can only be read through the app: name it with -A"
    return UnavailableResults(reason or f"celtop cannot read results from {mask_url(scheme)}://")


def _mongodb(url: str, settings: Settings, conf: Mapping[str, Any]) -> ResultReader:
    from .backends.mongodb import MongoResults

    reported = conf.get("mongodb_backend_settings")
    options = dict(reported) if isinstance(reported, Mapping) else {}
    # Workers mask the database's name; the setting's URL may have it at its end.
    if _MASKED in str(options.get("database")):
        del options["database"]
        if not settings.result_backend or not _path(url):
            return UnavailableResults(
                f"the workers mask the database in {mask_url(url)}: {_HOW_TO_SET}"
            )
    if not settings.result_backend and {"host", "port", "mongo_host"} & options.keys():
        return UnavailableResults(f"mongodb_backend_settings names another server: {_HOW_TO_SET}")
    return MongoResults(url, settings, options)


def _path(url: str) -> str:
    return url.partition("://")[2].partition("?")[0].partition("/")[2]


_REASONS: Final = {
    "rpc": "rpc:// sends each result only to the task's caller",
    "amqp": "amqp:// sends each result only to the task's caller",
    "disabled": _DISABLED,
    "django-cache": _DJANGO_CACHE,
    "django_celery_results.backends.cache:CacheBackend": _DJANGO_CACHE,
    "memory": "cache+memory:// keeps results in the memory of each worker",
    "cache": "the servers of cache:// are unknown: set cache+memcached://HOST:PORT/",
}


def _meter(url: str, settings: Settings, meter: ConnectionMeter | None) -> ConnectionMeter:
    """Return the broker's meter if the backend is the same server, otherwise a new one."""
    try:
        theirs, ours = urlsplit(settings.broker_url), urlsplit(url)
        redis = family_of(scheme_of(settings.broker_url)) == "redis"
        same = redis and _server(theirs)[1:] == _server(ours)[1:]
    except ValueError:
        same = False
    return meter if same and meter is not None else ConnectionMeter()


def _zone(conf: Mapping[str, Any]) -> tzinfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(str(conf["timezone"]))
    except (KeyError, ValueError, OSError):
        return UTC
