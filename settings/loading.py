"""Loads the settings from all sources, and records the source of each value.

A setting is taken from the first source that has it: flags, `CELTOP_*` in the environment, Celery's
own variables (for the two URLs), the config file, the configuration of the monitored app, the
default. A list or table is taken whole from one source; sources are never merged. The
table of a cluster in the config file comes right after the source that names the cluster.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, get_args

from ..files import files
from ..model.text.passwords import mask
from .settings import Settings, SettingsError
from .types import SafeSerializer

DescribeApp: TypeAlias = Callable[[str, str | None], Mapping[str, object]]
"""Returns the configuration of an app (`proj.celery:app`), imported from a folder."""

ENV_PREFIX: Final = "CELTOP_"
_CELERY_ENV: Final = {"broker_url": "CELERY_BROKER_URL", "result_backend": "CELERY_RESULT_BACKEND"}
_FLAG_NAMES: Final = {
    "app": "-A",
    "broker_url": "-b",
    "enable_events": "--no-enable-events",
    "frames_per_second": "--rate",
    "mouse": "--no-mouse",
}
"""Flags that are not named after their field."""

_APP_FIELDS: Final = (
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
"""Fields taken from the app's configuration. Its time zone is not one: that is not the screen's."""


def load_settings(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] = os.environ,
    config_file: str | os.PathLike[str] | None = None,
    describe: DescribeApp | None = None,
) -> Settings:
    """Return the settings of all sources together.

    Args:
        flags: Values by field; None is "not given".
        environ: The environment to read `CELTOP_*` and Celery's variables from.
        config_file: The file to read; None is `CELTOP_CONFIG` or the default one.
        describe: Returns the configuration of the named app; its unknown keys are ignored.

    Raises:
        SettingsError: A file cannot be read, a key is unknown, or a value is invalid.
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    file = _read_file(config_file or environ.get(f"{ENV_PREFIX}CONFIG"))

    def add(found: Mapping[str, object], source: Callable[[str], str]) -> None:
        unnamed = "cluster" not in values
        for field, value in found.items():
            if value is not None and field not in values:
                values[field] = value
                sources[field] = source(field)
        if unnamed and "cluster" in values:
            # The table of this cluster takes precedence over what the next sources have for all.
            table = file.cluster(str(values["cluster"]))
            add(table, lambda field: file.source(f"clusters.{values['cluster']}.{field}"))

    add(flags or {}, lambda field: f"flag {flag_name(field)}")
    add(_environment(environ), lambda field: f"environment {ENV_PREFIX}{field.upper()}")
    celery = {field: environ.get(name) or None for field, name in _CELERY_ENV.items()}
    add(celery, lambda field: f"environment {_CELERY_ENV[field]}")
    add(file.values, file.source)
    for name in file.lines:
        field = name.partition(".")[0]
        if sources[field] == file.source(field):
            sources[name] = file.source(name)
    _keep_first(values, sources, "events", "enable_events")
    description: Mapping[str, object] = {}
    if describe is not None and (app := values.get("app")):
        workdir = values.get("workdir")
        description = describe(str(app), str(workdir) if workdir else None)
        add(_from_app(description), lambda field: f"app {app}")
    warnings = []
    if file.is_exposed:
        warnings.append(
            f"The config file {file.path} contains a password, and other users can read it."
            f" Run: chmod 600 {shlex.quote(str(file.path))}"
        )
    return Settings.from_sources(values, sources, description, warnings)


def _keep_first(values: dict[str, object], sources: dict[str, str], *fields: str) -> None:
    """Of several fields for the same thing, keep the value of the source that comes first."""
    for field in [name for name in values if name in fields][1:]:
        del values[field], sources[field]


def flag_name(field: str) -> str:
    """Return the flag that sets a field."""
    return _FLAG_NAMES.get(field) or "--" + field.replace("_", "-")


def _environment(environ: Mapping[str, str]) -> dict[str, object]:
    names = {field: f"{ENV_PREFIX}{field.upper()}" for field in Settings.model_fields}
    return {field: environ[name] for field, name in names.items() if environ.get(name)}


class _File(NamedTuple):
    """The config file; empty if there is none."""

    path: Path
    values: dict[str, Any]
    lines: dict[str, int]
    """The line of each key, by its dotted name."""

    @property
    def is_exposed(self) -> bool:
        """Whether it contains a password and other users can read it."""
        return mask(self.values) != self.values and bool(self.path.stat().st_mode & 0o077)

    def source(self, name: str) -> str:
        """Return the source of a value in words."""
        return f"config file {self.path}, line {self.lines[name]}"

    def cluster(self, name: str) -> Mapping[str, object]:
        """Return the table of a cluster; empty if there is none."""
        tables = self.values.get("clusters")
        table = tables.get(name) if isinstance(tables, dict) else None
        return table if isinstance(table, dict) else {}


def _read_file(named: str | os.PathLike[str] | None) -> _File:
    """Return the named config file, or the default one.

    Raises:
        SettingsError: It cannot be read, or a key is unknown.
    """
    path = Path(named) if named else files.config_file()
    if not named and not path.is_file():
        return _File(path, {}, {})
    # Most users have no such file: imported here, this does not delay the first frame.
    from ..files.config_file import read

    try:
        values, lines = read(path)
    except OSError as error:
        raise SettingsError(f"Cannot read the config file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The config file {path} is not UTF-8") from error
    except ValueError as error:
        raise SettingsError(f"Invalid TOML in config file {path}: {error}") from error
    file = _File(path, values, lines)
    for key in values:
        _check_key(key, key, file)
    tables = values.get("clusters")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        for key in table if isinstance(table, dict) else ():
            _check_key(key, f"clusters.{name}.{key}", file, without=("cluster", "clusters"))
    return file


def _check_key(key: str, name: str, file: _File, without: Sequence[str] = ()) -> None:
    """Check that a key is that of a setting.

    Raises:
        SettingsError: It is not.
    """
    known = [field for field in Settings.model_fields if field not in without]
    if key in known:
        return
    import difflib

    near = difflib.get_close_matches(key, known, n=1)
    advice = f"Did you mean {near[0]!r}?" if near else "`celtop config show` lists all keys"
    raise SettingsError(f"Unknown key {name!r} in {file.source(name)}. {advice}")


def _from_app(description: Mapping[str, object]) -> dict[str, object]:
    known = {field: description.get(field) for field in _APP_FIELDS}
    accepted = known["accept_content"]
    if isinstance(accepted, Sequence):
        # The app may accept pickle; celtop takes only the safe serializers of its list.
        safe = get_args(SafeSerializer)
        known["accept_content"] = [name for name in accepted if name in safe] or None
    return known
