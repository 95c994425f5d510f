"""The settings: one frozen object that records the source of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import structs
from pydantic import Field, PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ..model.entities.limits import alert_rules
from ..model.entities.limits.keep import KEEP
from ..model.entities.limits.thresholds import Thresholds
from ..model.entities.registered_task import RegisteredTask
from ..model.text.passwords import mask
from .types import (
    Alerts,
    Budgets,
    ClusterName,
    ClusterTables,
    HistoryLocation,
    HttpUrl,
    KeysByAction,
    Labels,
    Limits,
    ManagementUrl,
    Names,
    Patterns,
    ProgressPaths,
    Seconds,
    Serializers,
    Table,
    TableOrSwitch,
)


class SettingsError(Exception):
    """A setting cannot be used; the message names it, its source and the reason, in one line."""


class Settings(BaseSettings):
    """All settings of celtop. Made by `load_settings`, or from keyword arguments alone."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    app: str | None = None
    """The monitored Celery app, as in `celery -A`. Its code runs in a child process only."""
    workdir: str | None = None
    """The directory to import the app from; None is the current directory."""
    broker_url: str = ""
    """The broker URL; separate several failover URLs with `;`. Empty if no source names one."""
    result_backend: str | None = None
    """The result backend's URL, or a name such as `django-db`; None uses the workers'
    configuration."""
    result_backend_transport_options: Table = {}
    """As in Celery: `global_keyprefix`, `master_name`, ..."""
    redis_backend_use_ssl: TableOrSwitch = None
    """As in Celery, for a result backend in Redis; None is decided by the URL."""
    broker_transport_options: Table = {}
    """As in Celery: `global_keyprefix`, `fanout_prefix`, `sep`, ... They must match the workers'
    options, otherwise no event is received."""
    broker_use_ssl: TableOrSwitch = None
    """As in Celery: a table of certificate options, true for the defaults; None is decided by the
    URL."""
    rabbitmq_management: ManagementUrl | None = None
    """The URL of RabbitMQ's management API, which lists all queues of the virtual host and counts
    unacknowledged messages; `never` to do without. None looks for it on the broker's host: on port
    15672, or with TLS on 15671 and 443. Without credentials, those of the broker are used."""
    prometheus_url: HttpUrl | None = None
    """The URL of a Prometheus that scrapes `celtop metrics`: charts of more than an hour are drawn
    from it instead of the history. None to draw them from the history."""
    prometheus_labels: Labels = {}
    """The labels that distinguish this celtop from others in Prometheus, such as the job."""
    accept_content: Serializers = ("json",)
    """The serializers to decode replies from. Only those that cannot run the sender's code."""
    event_exchange: str = "celeryev"
    """The exchange that workers publish events to."""
    control_exchange: str = "celery"
    """The exchange for remote-control commands, without `.pidbox`."""
    events: Literal["auto", "always", "never"] = "auto"
    """Task events of workers that send none: `auto` enables them, and disables them again when the
    last celtop exits, unless another monitor receives them; `always` leaves them enabled; `never`
    does not enable them."""
    enable_events: bool = True
    """Whether to enable task events at all: false is the older spelling of `events = "never"`."""
    read_only: bool = False
    """Whether to refuse every change to the cluster. Task events are still enabled, unless
    `events` is `never`."""
    audit_file: str | None = None
    """The file that records every operation, as JSON lines; empty to keep none. None is
    `celtop/audit.jsonl` in `XDG_STATE_HOME`, or in `~/.local/state`."""
    audit_required: bool = True
    """Whether to refuse operations while the audit file cannot be written."""
    redact: Patterns = ()
    """Regular expressions for arguments and results that must never be shown, written or exported;
    as text, one per line. A match in a name (`password`) hides its value, any other match is hidden
    itself. Case is ignored."""
    progress_path: ProgressPaths = {}
    """Where tasks report their progress, if not in a common shape: for each task name pattern
    (`"geo.*"`) a table of dotted paths into the `update_state` meta or the event: `current` and
    `total`, or `percent` (0 to 100), and `text`. The first pattern that matches
    the name, or is the name, is used."""
    frugal: bool = False
    """Whether to send the broker as few commands as possible; values are then older."""
    queues: Names = ()
    """Queues to watch in addition to those found through workers and tasks."""
    beat_schedule_file: str | None = None
    """The file of beat's default scheduler (`celery beat -s`), to read its last runs from."""
    inspect_interval: Seconds = Field(default=15.0, ge=1.0)
    """Seconds between two rounds of inspecting the workers while a screen shows them."""
    queue_interval: Seconds = Field(default=5.0, ge=0.5)
    """Seconds between two measurements of the queues while a screen shows them."""
    load_results: int = Field(default=500, ge=0)
    """How many already finished tasks to load from the result backend at startup; 0 for none."""
    cluster: ClusterName | None = None
    """The name of the cluster: of its table in `clusters` and of its history. None is the broker's
    URL."""
    clusters: ClusterTables = {}
    """Clusters by name: each a table of settings, which take precedence over those outside of it
    while that cluster is monitored (`--cluster NAME`)."""
    history: HistoryLocation = "sqlite"
    """Where to keep what was observed, for later: `sqlite` (`celtop/history.sqlite3` in
    `XDG_DATA_HOME`, or in `~/.local/share`), the path of a file, `postgresql://...`, or `off`."""
    from_history: HistoryLocation | None = None
    """The history that a `celtop collect` keeps of the cluster, as for `history`: tasks are read
    from it, no task events are received, and none is written."""
    history_max_age: Seconds = Field(default=7 * 86_400.0, gt=0.0)
    """Seconds after which it is deleted."""
    history_max_bytes: int = Field(default=1 << 30, ge=1 << 20)
    """Bytes that it may take; beyond that the oldest is deleted."""
    max_tasks: int = Field(default=100_000, ge=100)
    """Tasks kept in memory; beyond that the oldest are dropped, plain successes first."""
    keep: Budgets = dict(KEEP)
    """How many tasks of each kind to keep at least, however many others arrive: `failed`,
    `retried`, `revoked`, `lost`, `slow`, `running`, `waiting`, and `marked` on the screen. Budgets
    that exceed `max_tasks` together are reduced in proportion."""
    findings: Limits = structs.asdict(Thresholds())
    """The limits from which something needs attention, such as `redis_memory` (a part of 1) and
    `queue_stalled` (seconds); see `model/entities/limits/thresholds.py`."""
    alerts: Alerts = alert_rules.defaults()
    """Which findings raise an alert, and what it does: ring the bell, set the title, notify the
    desktop, run a command, post to a webhook. See `model/entities/limits/alert_rules.py`."""
    max_text_bytes: int = Field(default=256 << 20, ge=1 << 20)
    """Bytes of arguments, results and tracebacks kept in memory."""
    inbox_events: int = Field(default=200_000, ge=1_000)
    """Received events that may wait for processing; beyond that events are dropped and counted."""
    frames_per_second: float = Field(default=4.0, gt=0.0, le=60.0)
    """How often the screen is repainted at most, per second."""
    mouse: bool = True
    """Whether to capture the mouse; otherwise the terminal selects text as usual."""
    hints: bool = True
    """Whether to show hints: one line, each once, the first time that it is of use."""
    ascii: bool | None = None
    """Whether to draw with ASCII characters only; None is decided by the locale."""
    theme: str | None = None
    """The name of the colour theme; None is the built-in one."""
    view: str | None = None
    """The name of the saved view to open first; None is the Overview."""
    keymap: str | None = None
    """The name of a keymap from an installed package; None is the built-in one."""
    keys: KeysByAction = {}
    """Keys by action id, on top of the keymap: a key, a list of keys, or an empty text for none."""
    timezone: Literal["local", "utc"] = "local"
    """The time zone of the screen; exports always use UTC."""

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _registered: dict[str, RegisteredTask] = PrivateAttr(default_factory=dict)
    _routes: dict[str, str] = PrivateAttr(default_factory=dict)
    _default_queue: str | None = PrivateAttr(default=None)
    _warnings: list[str] = PrivateAttr(default_factory=list)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take keywords only: `load_settings` merges the sources and records which one won."""
        return (init_settings,)

    @classmethod
    def from_sources(
        cls,
        values: Mapping[str, object],
        sources: Mapping[str, str],
        description: Mapping[str, Any],
        warnings: Sequence[str] = (),
    ) -> Settings:
        """Return the settings with these values.

        Args:
            values: Values by field.
            sources: The source of each value in words.
            description: What is known of the monitored app's tasks, which are not settings.
            warnings: What the user should correct.

        Raises:
            SettingsError: A value is invalid.
        """
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_explain(error, values, sources)) from None
        settings._sources.update(sources)
        settings._warnings.extend(warnings)
        for task in description.get("tasks") or ():
            settings._registered[task.name] = task
            if task.queue is not None:
                settings._routes[task.name] = task.queue
        settings._default_queue = description.get("task_default_queue")
        return settings

    @property
    def enables_events(self) -> bool:
        """Whether task events are enabled on workers that send none."""
        return self.enable_events and self.events != "never" and self.from_history is None

    @property
    def read_history(self) -> str:
        """The history that is read: that of a collector, or the own one."""
        return self.from_history or self.history

    def max_retries_of(self, task: str | None) -> int | None:
        """Return the `max_retries` of a task by name; None if no app is named or it sets none."""
        found = self._registered.get(task or "")
        return None if found is None else found.max_retries

    @property
    def registered(self) -> Mapping[str, RegisteredTask]:
        """The tasks of the named app, by name."""
        return self._registered

    @property
    def routes(self) -> Mapping[str, str]:
        """The queue that the named app sends each of its tasks to, by the task's name."""
        return self._routes

    @property
    def default_queue(self) -> str | None:
        """The default queue of the named app; None if no app is named."""
        return self._default_queue

    @property
    def warnings(self) -> tuple[str, ...]:
        """Problems that the user should correct, although the settings are valid."""
        return tuple(self._warnings)

    def source(self, field: str, key: str = "") -> str:
        """Return the source of a value in words: `flag -b`, `config file PATH, line 3`, `default`.

        Args:
            field: The setting.
            key: A key of a setting that is a table.
        """
        return self._sources.get(f"{field}.{key}") or self._sources.get(field, "default")

    def masked(self, field: str) -> Any:
        """Return a value with every password masked."""
        return mask(getattr(self, field))


def _explain(
    error: ValidationError, values: Mapping[str, object], sources: Mapping[str, str]
) -> str:
    """Return the first error in one line: the value, its setting and source, and the reason."""
    first = error.errors()[0]
    field = str(first["loc"][0])
    value = values.get(field)
    # Text that should have been a table may contain a password anywhere.
    secret = isinstance(value, str) and field.endswith(("_transport_options", "_use_ssl"))
    shown = "" if secret else f"{mask(value)!r} "
    # pydantic: "Input should be a valid integer, unable to parse string as an integer".
    why = first["msg"].removeprefix("Value error, ").partition(", unable to ")[0]
    why = why.replace("Input should be", "must be")
    source = sources.get(".".join(map(str, first["loc"][:2]))) or sources.get(field, "flag")
    return f"Invalid value {shown}for {field} ({source}): {why}"
