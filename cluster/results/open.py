"""Which result backend is meant, and what reads it.

Named is it by whoever started celtop, by the monitored app, or by what the workers say of their
configuration. There passwords are hidden (`celery.app.utils.filter_hidden_settings`), and every
key with KEY or DATABASE in its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from ...model.entities.broker import family_of
from ...settings import Settings, mask_url
from ..connection.broker import scheme_of
from ..connection.metering import ConnectionMeter
from .backends.base import ResultReader, Unreadable

_HIDDEN: Final = "***"
"""In whatever a worker hides; it writes eight of them, or two in older versions' URLs."""
_TRUNCATED_NAMES: Final = {
    "://ngo-db/": "django-db",
    "://ngo-cache/": "django-cache",
    "://abled/": "disabled",
}
"""Names that are no URLs, as workers tell them: Celery takes three letters for a `://`."""
_NAME_IT: Final = "name it with --result-backend or CELTOP_RESULT_BACKEND, or the app with -A"


def open_results(
    settings: Settings,
    worker_conf: Mapping[str, Any] | None = None,
    meter: ConnectionMeter | None = None,
) -> ResultReader:
    """Return what reads the cluster's results; nothing is connected to before it is asked.

    Args:
        settings: Whose `result_backend` counts if it is set.
        worker_conf: What a worker answered to `inspect conf`; None if none did so far.
        meter: The broker's links, which count a result backend on the same server too.

    Returns:
        A reader; its `unavailable` tells why there is nothing to read, if so.
    """
    conf = worker_conf or {}
    settings, doubt = _with_options(settings, conf)
    url = settings.result_backend
    if not url:
        url, doubt = _from_workers(settings, worker_conf, doubt)
    if doubt is not None:
        return Unreadable(doubt)
    reader = _reader(url or "disabled", settings, conf, meter)
    options = settings.result_backend_transport_options, settings.redis_backend_use_ssl
    reader.location = (url, *options, conf.get("timezone"), conf.get("mongodb_backend_settings"))
    return reader


def _with_options(settings: Settings, conf: Mapping[str, Any]) -> tuple[Settings, str | None]:
    """Complete the options by those that workers tell; what they hide is a reason not to read."""
    found: dict[str, Any] = {}
    doubt = None
    for field in ("result_backend_transport_options", "redis_backend_use_ssl"):
        told = conf.get(field)
        if getattr(settings, field) or not isinstance(told, Mapping):
            continue
        if _HIDDEN in str(told.get("global_keyprefix")):
            doubt = (
                "the workers' results have a key prefix, which their configuration hides: give"
                " result_backend_transport_options, or the app with -A"
            )
        found[field] = {key: value for key, value in told.items() if _HIDDEN not in str(value)}
    return (settings.model_copy(update=found) if found else settings), doubt


def _from_workers(
    settings: Settings, conf: Mapping[str, Any] | None, doubt: str | None
) -> tuple[str | None, str | None]:
    """Return the URL that workers tell, and what speaks against it."""
    if conf is None:
        return None, f"no result backend is known: {_NAME_IT}"
    told = conf.get("result_backend")
    if not isinstance(told, str) or not told:
        return None, "the workers have no result backend: results are kept nowhere"
    url = _TRUNCATED_NAMES.get(told, told)
    if "+socket://" in url:
        return None, f"the workers do not tell which database of {mask_url(url)} it is: {_NAME_IT}"
    if "**" in url:
        shared = _with_broker_login(url, settings.broker_url)
        if shared is None:
            hidden = "the workers' configuration hides the password of the result backend"
            return None, f"{hidden}: {_NAME_IT}"
        url = shared
    return url, doubt


def _with_broker_login(url: str, broker_url: str) -> str | None:
    """Return the URL with the broker's login, if it is the broker's own server and user."""
    try:
        hidden, known = urlsplit(url), urlsplit(broker_url)
        same = _server(hidden) == _server(known) and hidden.username == known.username
    except ValueError:
        return None
    if not same or hidden.scheme not in ("redis", "rediss") or ";" in url + broker_url:
        return None
    # The query goes with it: that is where the certificates are, and workers cut it off.
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
    if reason is None and (kind == "django-db" or "." in kind or ":" in kind):
        if settings.app:
            from .backends.via_app import AppResults

            return AppResults(url, settings)
        reason = f"results in {mask_url(url)} are read through the app: name it with -A"
    return Unreadable(reason or f"celtop does not read results in {mask_url(scheme)}://")


def _mongodb(url: str, settings: Settings, conf: Mapping[str, Any]) -> ResultReader:
    from .backends.mongodb import MongoResults

    told = conf.get("mongodb_backend_settings")
    options = dict(told) if isinstance(told, Mapping) else {}
    # Workers hide the database's name; who names the backend may end the URL with it.
    if _HIDDEN in str(options.get("database")):
        del options["database"]
        if not settings.result_backend or not _path(url):
            return Unreadable(
                f"the workers hide which database of {mask_url(url)} it is: {_NAME_IT}"
            )
    if not settings.result_backend and {"host", "port", "mongo_host"} & options.keys():
        return Unreadable(f"mongodb_backend_settings names another server: {_NAME_IT}")
    return MongoResults(url, settings, options)


def _path(url: str) -> str:
    return url.partition("://")[2].partition("?")[0].partition("/")[2]


_REASONS: Final = {
    "rpc": "rpc:// sends each result to its caller alone: nobody else can read it",
    "amqp": "amqp:// sends each result to its caller alone: nobody else can read it",
    "disabled": "the workers have no result backend: results are kept nowhere",
    "django-cache": "Django's cache keeps results as pickles, and celtop never loads a pickle",
    "django_celery_results.backends.cache:CacheBackend": (
        "Django's cache keeps results as pickles, and celtop never loads a pickle"
    ),
    "memory": "cache+memory:// keeps results in the memory of each worker: nobody else sees them",
    "cache": "a cache's servers are told by cache_backend: name them, cache+memcached://HOST:PORT/",
}


def _meter(url: str, settings: Settings, meter: ConnectionMeter | None) -> ConnectionMeter:
    """Return the broker's links if this is the same server, else new ones."""
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
