"""Reads the series of charts from Prometheus, in the shape of `HistoryStore.series`.

The values have the names of `model.ingest.series_recorder`, and are computed from the metrics of
this package. https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
"""

from __future__ import annotations

import base64
import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Final, Literal, TypeAlias

import msgspec

from ..model.text.passwords import mask_text, mask_url
from ..model.text.sanitize import visible
from ..model.text.urls import quote_credentials
from .families import label_value

Kind: TypeAlias = Literal["cluster", "worker", "queue", "type"]

TIMEOUT: Final = 10.0
"""Seconds for one request."""
MAX_REPLY_BYTES: Final = 32 << 20
MIN_WINDOW: Final = 240
"""Seconds that a value is averaged over at least: four scrapes at a minute's interval."""
VALUE: Final = "celtop_value"
"""The label that distinguishes the values of one request."""

_RATES: Final = ("succeeded", "failed", "retried", "revoked", "received")


class PrometheusError(Exception):
    """Prometheus cannot be asked; the message gives the reason, without passwords."""


class PrometheusSeries:
    """The series of clusters in a Prometheus.

    Args:
        url: Its URL, such as `http://prometheus:9090`; may have a user and a password.
        labels: Labels that the metrics have besides their own, such as the job.
    """

    def __init__(self, url: str, labels: Mapping[str, str] | None = None) -> None:
        self.shown_url = mask_url(url)
        parts = urllib.parse.urlsplit(quote_credentials(url))
        host = parts.netloc.rpartition("@")[2]
        self._url = parts._replace(netloc=host, query="", fragment="").geturl().rstrip("/")
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if parts.username is not None:
            user = urllib.parse.unquote(f"{parts.username}:{parts.password or ''}")
            self._headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
        self._labels = dict(labels or {})

    def series(
        self, cluster: str, kind: Kind, name: str, start: float, end: float, step: int
    ) -> Mapping[str, Sequence[float]]:
        """Return the values of a subject in equal steps, oldest first; NaN is unknown. Blocks.

        Args:
            cluster: The label `cluster`, which the metrics may lack.
            kind: What the series is about.
            name: The queue, worker or task type; empty for the cluster.
            start: The beginning of the first step, epoch seconds.
            end: The end of the last step.
            step: Seconds of a step.

        Raises:
            PrometheusError: It cannot be asked.
        """
        first = int(start) // step
        length = max(0, -(-int(end) // step) - first)
        if not length:
            return {}
        # A point has what was in the step before it.
        parameters = {
            "query": expression(self._selector(cluster), kind, name, step),
            "start": (first + 1) * step,
            "end": (first + length) * step,
            "step": step,
        }
        found: dict[str, Sequence[float]] = {}
        for series in self._get(parameters).data.result:
            values = [nan] * length
            for at, text in series.values:
                place = round(at / step) - first - 1
                if 0 <= place < length:
                    values[place] = _number(text)
            found[series.metric.get(VALUE, "")] = values
        return found

    def _selector(self, cluster: str) -> str:
        # A regular expression: metrics of a single cluster have no such label.
        matchers = [f"cluster=~{_quoted(re.escape(label_value(cluster)) + '|')}"]
        matchers += [f"{label}={_quoted(value)}" for label, value in self._labels.items()]
        return ",".join(matchers)

    def _get(self, parameters: Mapping[str, object]) -> _Reply:
        # By POST: the query of a cluster is long.
        request = urllib.request.Request(
            f"{self._url}/api/v1/query_range",
            urllib.parse.urlencode(parameters).encode(),
            self._headers,
        )
        try:
            status, body = _post(request)
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
            raise self._failed(reason) from None
        if status != http.client.OK:
            raise self._failed(f"HTTP {status}: {_reason(body)}")
        if len(body) > MAX_REPLY_BYTES:
            raise self._failed(f"it sent more than {MAX_REPLY_BYTES >> 20} MiB")
        try:
            return msgspec.json.decode(body, type=_Reply)
        except (msgspec.DecodeError, RecursionError):
            raise self._failed("it sent no JSON of its API") from None

    def _failed(self, reason: str) -> PrometheusError:
        return PrometheusError(
            f"Cannot read series from {self.shown_url}: {mask_text(visible(reason, 500))}."
            " Check prometheus_url in the config file"
        )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it could lead anywhere, with the password."""

    def redirect_request(self, *args: object) -> None:
        """Return no request, which makes the redirect an error."""


def _post(request: urllib.request.Request) -> tuple[int, bytes]:
    """Return the status and the body of a reply."""
    try:
        reply = urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        return reply.status, reply.read(MAX_REPLY_BYTES + 1)


def _number(text: str) -> float:
    """Return a sample; NaN if it is no finite number."""
    try:
        value = float(text)
    except ValueError:
        return nan
    return value if isfinite(value) else nan


class _Series(msgspec.Struct, frozen=True):
    metric: dict[str, str]
    values: list[tuple[float, str]]


class _Result(msgspec.Struct, frozen=True):
    result: list[_Series]


class _Reply(msgspec.Struct, frozen=True):
    data: _Result


class _Failure(msgspec.Struct, frozen=True):
    error: str = ""


def expression(selector: str, kind: Kind, name: str, step: int) -> str:
    """Return the PromQL of all values of a subject, distinguished by the label `celtop_value`.

    Args:
        selector: Matchers that all metrics have.
        kind: What the values are about.
        name: The name of the subject.
        step: Seconds that a value covers.
    """
    values = _values(selector, kind, _quoted(label_value(name)), step)
    return " or ".join(
        f'label_replace({text}, "{VALUE}", "{value}", "", "")' for value, text in values.items()
    )


def _values(selector: str, kind: Kind, name: str, step: int) -> dict[str, str]:
    """Return the expression of each value."""
    window = f"[{max(step, MIN_WINDOW)}s]"

    def rate(metric: str, *matchers: str) -> str:
        return f"sum(rate({metric}{{{','.join((selector, *matchers))}}}{window}))"

    def mean(metric: str, *matchers: str, of: str = "sum") -> str:
        return f"{of}(avg_over_time({metric}{{{','.join((selector, *matchers))}}}{window}))"

    def quantile(q: float, metric: str, *matchers: str) -> str:
        labels = ",".join((selector, *matchers))
        return f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{{{labels}}}{window})))"

    least_age = "celtop_queue_oldest_runnable_age_at_least_seconds"
    runtime, wait = "celtop_task_runtime_seconds", "celtop_task_queue_wait_seconds"
    if kind == "cluster":
        return {
            **{one: rate("celtop_tasks_total", f'event="{one}"') for one in _RATES},
            "waiting": mean("celtop_queue_waiting"),
            "runnable": mean(least_age, of="max"),
            "busy": mean("celtop_worker_running"),
            "slots": mean("celtop_worker_slots"),
            "online": f"{mean('celtop_worker_up')} - {mean('celtop_worker_late')}",
            "runtime_p95": quantile(0.95, runtime),
            "wait_p95": quantile(0.95, wait),
        }
    if kind == "queue":
        queue = f"queue={name}"
        return {
            "waiting": mean("celtop_queue_waiting", queue),
            "in_per_s": mean("celtop_queue_in_per_second", queue),
            "out_per_s": mean("celtop_queue_out_per_second", queue),
            "oldest": mean("celtop_queue_oldest_age_seconds", queue, of="max"),
            "runnable": mean(least_age, queue, of="max"),
        }
    if kind == "worker":
        worker = f"worker={name}"
        ended = 'type=~"task-succeeded|task-failed|task-retried"'
        return {
            "busy": mean("celtop_worker_running", worker),
            "slots": mean("celtop_worker_slots", worker),
            "per_s": rate("flower_events_total", worker, ended),
            "rss": mean("celtop_worker_max_resident_memory_bytes", worker, of="max"),
            "load": mean("celtop_worker_load1", worker, of="max"),
        }
    task = f"task={name}"
    return {
        **{one: rate("celtop_tasks_total", task, f'event="{one}"') for one in _RATES[:3]},
        "runtime_p50": quantile(0.5, runtime, task),
        "runtime_p95": quantile(0.95, runtime, task),
        "wait_p95": quantile(0.95, wait, task),
    }


def _quoted(text: str) -> str:
    """Return a text as a string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _reason(body: bytes) -> str:
    """Return Prometheus's reason for rejecting a request."""
    try:
        return msgspec.json.decode(body, type=_Failure).error
    except msgspec.DecodeError:
        return "no reply of a Prometheus"
