"""What celtop is told: one frozen object, each value of which knows where it came from.

Of several places that name the same setting, the first of these wins: flags, `CELTOP_*` in the
environment, Celery's own variables (for the two URLs), the config file, the configuration of the
monitored app, the default. A list or table is taken whole from one place, never mixed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationError
from pydantic_core import from_json
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

Describe: TypeAlias = Callable[[str, str | None], Mapping[str, object]]
"""Given an app (`proj.celery:app`) and a folder to find it in, what its configuration says."""

ENV_PREFIX: Final = "CELTOP_"
_CELERY_ENV: Final = {"broker_url": "CELERY_BROKER_URL", "result_backend": "CELERY_RESULT_BACKEND"}
_FLAGS: Final = {
    "app": "-A",
    "broker_url": "-b",
    "enable_events": "--no-enable-events",
    "frames_per_second": "--rate",
    "mouse": "--no-mouse",
}
"""Flags that are not called as their field is."""

_TOLD_BY_APPS: Final = (
    "broker_url",
    "result_backend",
    "broker_transport_options",
    "broker_use_ssl",
    "result_backend_transport_options",
    "redis_backend_use_ssl",
    "accept_content",
    "event_exchange",
    "control_exchange",
)
"""What an app's own configuration has a say in; its time zone, for one, is not the screen's."""

_CREDENTIALS: Final = re.compile(
    r"(?P<scheme>\w[\w+.-]{0,30}://)(?P<login>(?:(?!\w{1,30}://)\S)*)@"
)
"""Up to the last `@` before the next URL: a password that should have been quoted is hidden too.
Repetitions are counted: what workers answer is searched, and may be long and full of near misses.
"""
_SECRET_PARAMETER: Final = re.compile(
    r"(?i)([?&][^=&#?]{0,64}?(?:pass|secret|token)[^=&#?]{0,64}=)[^&#;,\s]*"
)
MOST_LEVELS: Final = 50
"""More than any configuration has; a worker's answer may have as many as Python can stand."""
_TOLD: Final = ("current", "total", "percent", "text")
_PATH: Final = re.compile(r"[^.\s]+(?:\.[^.\s]+){0,19}")
_SECRET_KEY: Final = re.compile(r"(?i)pass|secret|token|credential")


class SettingsError(Exception):
    """A setting that cannot be used; the message says which, from where and why, in one line."""


def _words(value: object) -> object:
    """Read `a,b` as a list: what flags and the environment can carry."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _lines(value: object) -> object:
    """Read a text of several lines as a list: a regular expression may hold any other mark."""
    if isinstance(value, str):
        return [line.strip() for line in value.splitlines() if line.strip()]
    return value


def _pattern(value: str) -> str:
    """Check that a text is a regular expression."""
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from error
    return value


def _dotted(value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Check that each entry of a table of paths tells something, in dotted words."""
    for pattern, paths in value.items():
        if not pattern.strip():
            raise ValueError("a pattern of task names is empty")
        for field, path in paths.items():
            if field not in _TOLD:
                raise ValueError(f"{pattern}: {field!r} is none of {', '.join(_TOLD)}")
            if not _PATH.fullmatch(path):
                raise ValueError(f"{pattern}: {field} is no dotted path: {path!r}")
        if "total" in paths and "current" not in paths:
            raise ValueError(f"{pattern}: a total without a current")
        if not paths:
            raise ValueError(f"{pattern}: no current, percent or text")
    return value


def _table(value: object) -> object:
    """Read JSON text as a table: what flags and the environment can carry."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return from_json(value)
    return value


SafeSerializer: TypeAlias = Literal["json", "msgpack"]
Serializers: TypeAlias = Annotated[tuple[SafeSerializer, ...], BeforeValidator(_words)]
Words: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_words)]
Patterns: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(_pattern)], ...], BeforeValidator(_lines)
]
Table: TypeAlias = Annotated[dict[str, Any], BeforeValidator(_table)]
ProgressPaths: TypeAlias = Annotated[
    dict[str, dict[str, str]], BeforeValidator(_table), AfterValidator(_dotted)
]
TableOrSwitch: TypeAlias = Annotated[dict[str, Any] | bool | None, BeforeValidator(_table)]


class Settings(BaseSettings):
    """Everything that celtop is told. Made by `load`, or from keywords alone in a test."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    app: str | None = None
    """The monitored Celery app, as in `celery -A`; its code runs in a child process only."""
    workdir: str | None = None
    """The folder from which the app is imported; the present one if None."""
    broker_url: str = ""
    """The broker; several for failover are divided by `;`. Empty if nothing names one."""
    result_backend: str | None = None
    """The result backend's URL, or its name as in `django-db`; None goes by what workers say."""
    result_backend_transport_options: Table = {}
    """As Celery's: `global_keyprefix`, `master_name`, ..."""
    redis_backend_use_ssl: TableOrSwitch = None
    """As Celery's, for a result backend in Redis; None to go by the URL."""
    broker_transport_options: Table = {}
    """As Celery's: `global_keyprefix`, `fanout_prefix`, `sep`, ... A monitor whose options differ
    from the workers' hears nothing."""
    broker_use_ssl: TableOrSwitch = None
    """As Celery's: a table of certificate options, true for the defaults, None to go by the URL."""
    accept_content: Serializers = ("json",)
    """Serializers of replies that are decoded: only those that cannot run the sender's code."""
    event_exchange: str = "celeryev"
    """The exchange that workers send their events to."""
    control_exchange: str = "celery"
    """The exchange that remote-control commands go to, without `.pidbox`."""
    enable_events: bool = True
    """Whether to switch task events on at workers that send none."""
    read_only: bool = False
    """Whether every act on the cluster is refused. Task events are switched on all the same, unless
    `enable_events` is off."""
    audit_file: str | None = None
    """The file that every act on the cluster is written to, as JSON lines; empty for none. If None,
    `celtop/audit.jsonl` in `XDG_STATE_HOME`, or in `~/.local/state`."""
    redact: Patterns = ()
    """What is never shown, written or exported of arguments and results: regular expressions, one a
    line where it is no list. A name (`password`) hides what is named so; anything else is hidden
    itself. In any case of letters."""
    progress_path: ProgressPaths = {}
    """Where tasks tell their progress, if not in one of the usual shapes: by pattern of task names
    (`"geo.*"`) a table of dotted paths into what they give to `update_state` or send in events:
    `current` and `total`, or `percent` (0 to 100), and `text`. The first that matches counts."""
    frugal: bool = False
    """Whether to send the broker as few commands as possible, at the price of older numbers."""
    queues: Words = ()
    """Queues to watch besides those that workers consume or tasks name."""
    inspect_interval: float = Field(default=15.0, ge=1.0)
    """Seconds between two rounds of questions to the workers, while somebody looks at them."""
    queue_interval: float = Field(default=5.0, ge=0.5)
    """Seconds between two measurements of the queues, while somebody looks at them."""
    history: int = Field(default=500, ge=0)
    """Tasks that had ended before celtop came which are read from the result backend; 0 is none."""
    max_tasks: int = Field(default=100_000, ge=100)
    """Tasks kept in memory; beyond that the oldest go, finished ones first."""
    max_text_bytes: int = Field(default=256 << 20, ge=1 << 20)
    """Bytes of arguments, results and tracebacks kept in memory."""
    inbox_events: int = Field(default=200_000, ge=1_000)
    """Events that may wait to be applied before some are dropped, and counted as lost."""
    frames_per_second: float = Field(default=4.0, gt=0.0, le=60.0)
    """How often the screen is painted at most, per second."""
    mouse: bool = True
    """Whether to take the mouse; without, the terminal selects text as usual."""
    ascii: bool | None = None
    """Whether to draw with ASCII alone; None looks at the locale."""
    theme: str | None = None
    """The name of a colour theme; None takes the built-in one."""
    timezone: Literal["local", "utc"] = "local"
    """The zone of the times on the screen; exports are in UTC always."""

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _max_retries: dict[str, int | None] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take keywords only: `load` lays the places over each other and notes which one won."""
        return (init_settings,)

    def max_retries_of(self, task: str | None) -> int | None:
        """Return how often tasks of a name may be tried again, if the app of `-A` told."""
        return self._max_retries.get(task or "")

    def source(self, field: str) -> str:
        """Say in words where a value came from: `flag -b`, `config file PATH`, `default`."""
        return self._sources.get(field, "default")

    def shown(self, field: str) -> Any:
        """Return a value as it may be printed: with the passwords masked."""
        return mask(getattr(self, field))


def mask_url(url: str) -> str:
    """Return a URL, or several, without passwords: `redis://***@host`, `amqp://user:***@host`."""

    def hide(match: re.Match[str]) -> str:
        user, colon, password = match["login"].partition(":")
        # A lone word before the `@` may be a token: only what has a password next to it is a name.
        return f"{match['scheme']}{user + ':' if user and colon and password else ''}***@"

    return _SECRET_PARAMETER.sub(r"\1***", _CREDENTIALS.sub(hide, url))


def mask(value: Any, levels: int = MOST_LEVELS) -> Any:
    """Return a value with every password in it masked.

    Args:
        value: Text, or tables and lists of it.
        levels: How deep to look; what lies deeper is masked as a whole.
    """
    if isinstance(value, str):
        return mask_url(value)
    if not isinstance(value, Mapping | Sequence):
        return value
    if not levels:
        return "***"
    if isinstance(value, Mapping):
        return {
            key: "***" if item and _SECRET_KEY.search(str(key)) else mask(item, levels - 1)
            for key, item in value.items()
        }
    return [mask(item, levels - 1) for item in value]


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the config file is looked for if no flag names one."""
    base = (
        environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".config"
    )
    return Path(base) / "celtop" / "config.toml"


def load(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] = os.environ,
    config_file: str | os.PathLike[str] | None = None,
    describe: Describe | None = None,
) -> Settings:
    """Return the settings that all places together make.

    Args:
        flags: Values by field; None is "not given".
        environ: The environment to read.
        config_file: The file to read; None takes `CELTOP_CONFIG` or the one at `config_path`.
        describe: Asked for the app's configuration if an app is named; unknown keys are ignored.

    Raises:
        SettingsError: A file cannot be read, a key is unknown, or a value is no good.
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}

    def lay(found: Mapping[str, object], source: Callable[[str], str]) -> None:
        for field, value in found.items():
            if value is not None and field not in values:
                values[field] = value
                sources[field] = source(field)

    lay(flags or {}, lambda field: f"flag {flag_name(field)}")
    own = _environment(environ)
    lay(own, lambda field: f"environment {ENV_PREFIX}{field.upper()}")
    celery = {field: environ.get(name) or None for field, name in _CELERY_ENV.items()}
    lay(celery, lambda field: f"environment {_CELERY_ENV[field]}")
    named = config_file or environ.get(f"{ENV_PREFIX}CONFIG")
    path = Path(named) if named else config_path(environ)
    if named or path.is_file():
        lay(_file(path), lambda field: f"config file {path}")
    told: Any = None
    if describe is not None and (app := values.get("app")):
        workdir = values.get("workdir")
        description = describe(str(app), str(workdir) if workdir else None)
        lay(_from_app(description), lambda field: f"app {app}")
        told = description.get("tasks")
    settings = _build(values, sources)
    for task in told or ():
        settings._max_retries[task.name] = task.max_retries
    return settings


def flag_name(field: str) -> str:
    """Return the flag that sets a field."""
    return _FLAGS.get(field) or "--" + field.replace("_", "-")


def _environment(environ: Mapping[str, str]) -> dict[str, object]:
    names = {field: f"{ENV_PREFIX}{field.upper()}" for field in Settings.model_fields}
    return {field: environ[name] for field, name in names.items() if environ.get(name)}


def _file(path: Path) -> dict[str, object]:
    # Most have no such file, and the first frame does not wait for what they do not need.
    import difflib
    import tomllib

    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"config file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"config file {path}: not TOML: {error}") from error
    for key in found:
        if key not in Settings.model_fields:
            near = difflib.get_close_matches(key, Settings.model_fields, n=1)
            advice = f"did you mean {near[0]!r}?" if near else "`celtop config show` lists all"
            raise SettingsError(f"config file {path}: unknown key {key!r}; {advice}")
    return found


def _from_app(description: Mapping[str, object]) -> dict[str, object]:
    known = {field: description.get(field) for field in _TOLD_BY_APPS}
    accepted = known["accept_content"]
    if isinstance(accepted, Sequence):
        # An app that accepts pickle is its own business; celtop takes what is safe of its list.
        safe = get_args(SafeSerializer)
        known["accept_content"] = [name for name in accepted if name in safe] or None
    return known


def _build(values: dict[str, object], sources: dict[str, str]) -> Settings:
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        value = values.get(field)
        # Text that should have been a table may hold a password anywhere.
        table = isinstance(value, str) and field.endswith(("_transport_options", "_use_ssl"))
        shown = "its text" if table else repr(mask(value))
        why = first["msg"].removeprefix("Value error, ")
        source = sources.get(field, "flag")
        raise SettingsError(f"{field}: {shown} ({source}) is no good: {why}") from None
    settings._sources.update(sources)
    return settings
