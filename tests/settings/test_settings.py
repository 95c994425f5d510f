"""Settings: the precedence of sources, errors for invalid values, and masked passwords."""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Mapping
from pathlib import Path

import celtop.settings
import pytest
from celtop.model.entities.limits.keep import KEEP
from celtop.model.entities.limits.thresholds import Thresholds
from celtop.settings import Settings, SettingsError, load_settings
from pydantic import ValidationError

URL = "redis://{}/0"


@pytest.fixture(autouse=True)
def _config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("places", "winner", "source"),
    [
        ("flag CELTOP CELERY file app", "flag", "flag -b"),
        ("CELTOP CELERY file app", "CELTOP", "environment CELTOP_BROKER_URL"),
        ("CELERY file app", "CELERY", "environment CELERY_BROKER_URL"),
        ("file app", "file", "config file {file}, line 1"),
        ("app", "app", "app proj"),
        ("", "", "default"),
    ],
)
def test_the_first_source_with_a_value_wins(
    tmp_path: Path, places: str, winner: str, source: str
) -> None:
    given = places.split()
    file = tmp_path / "celtop" / "config.toml"
    if "file" in given:
        write(file, f'broker_url = "{URL.format("file")}"')
    environ = {
        f"{name}_BROKER_URL": URL.format(name) for name in ("CELTOP", "CELERY") if name in given
    }
    flags: dict[str, object] = {"app": "proj"}
    if "flag" in given:
        flags["broker_url"] = URL.format("flag")
    settings = load_settings(
        flags,
        environ,
        describe=lambda app, workdir: {"broker_url": URL.format("app")} if "app" in given else {},
    )
    assert settings.broker_url == (URL.format(winner) if winner else "")
    assert settings.source("broker_url") == source.format(file=file)


def test_only_two_of_celerys_variables_are_read() -> None:
    environ = {
        "CELERY_RESULT_BACKEND": URL.format("results"),
        "CELERY_EVENT_EXCHANGE": "elsewhere",
        "CELERY_THEME": "pink",
    }
    settings = load_settings({}, environ)
    assert settings.result_backend == URL.format("results")
    assert settings.source("result_backend") == "environment CELERY_RESULT_BACKEND"
    assert settings.event_exchange == "celeryev"
    assert settings.theme is None


def test_an_empty_variable_is_not_given() -> None:
    settings = load_settings(
        {}, {"CELTOP_BROKER_URL": "", "CELERY_BROKER_URL": URL.format("celery")}
    )
    assert settings.broker_url == URL.format("celery")


def test_the_config_file_may_be_named_by_flag_or_variable(tmp_path: Path) -> None:
    one = write(tmp_path / "one.toml", "frugal = true")
    two = write(tmp_path / "two.toml", "read_only = true")
    assert load_settings({}, {}, one).source("frugal") == f"config file {one}, line 1"
    assert load_settings({}, {"CELTOP_CONFIG": str(two)}).read_only
    assert not load_settings({}, {"CELTOP_CONFIG": str(two)}, one).read_only


def test_tables_and_lists_from_every_source(tmp_path: Path) -> None:
    file = write(
        tmp_path / "c.toml",
        'queues = ["a", "b"]\n[broker_transport_options]\nglobal_keyprefix = "acme:"\n',
    )
    settings = load_settings({}, {}, file)
    assert settings.queues == ("a", "b")
    assert settings.broker_transport_options == {"global_keyprefix": "acme:"}
    environ = {
        "CELTOP_QUEUES": "geo, mail,",
        "CELTOP_BROKER_TRANSPORT_OPTIONS": '{"fanout_prefix": false}',
        "CELTOP_BROKER_USE_SSL": "true",
        "CELTOP_ENABLE_EVENTS": "no",
    }
    settings = load_settings({}, environ, file)
    assert settings.queues == ("geo", "mail")
    assert settings.broker_transport_options == {"fanout_prefix": False}
    assert settings.broker_use_ssl is True
    assert settings.enable_events is False


@pytest.mark.parametrize(
    ("flags", "environ", "enabled", "source"),
    [
        ({}, {}, True, "default"),
        ({"events": "never"}, {}, False, "flag --events"),
        ({"enable_events": False}, {"CELTOP_EVENTS": "always"}, False, "default"),
        ({"enable_events": True}, {"CELTOP_EVENTS": "never"}, True, "default"),
        ({"events": "auto"}, {"CELTOP_ENABLE_EVENTS": "no"}, True, "flag --events"),
    ],
)
def test_the_older_setting_for_task_events(
    flags: dict[str, object], environ: dict[str, str], enabled: bool, source: str
) -> None:
    """Of both, the source that comes first decides."""
    settings = load_settings(flags, environ)
    assert settings.enables_events is enabled
    assert settings.source("events") == source


CLUSTERS = """\
broker_url = "redis://other/0"
max_tasks = 1000

[clusters.prod]
broker_url = "redis://prod/0"
queues = ["billing"]
"""


@pytest.mark.parametrize(
    ("flags", "environ", "broker", "source"),
    [
        ({}, {}, "other", "config file {file}, line 1"),
        ({"cluster": "prod"}, {}, "prod", "config file {file}, line 5"),
        ({"cluster": "new"}, {}, "other", "config file {file}, line 1"),
        ({"cluster": "prod"}, {"CELERY_BROKER_URL": "redis://env/0"}, "prod",
         "config file {file}, line 5"),
        ({}, {"CELTOP_CLUSTER": "prod", "CELERY_BROKER_URL": "redis://env/0"}, "prod",
         "config file {file}, line 5"),
        ({}, {"CELTOP_CLUSTER": "prod", "CELTOP_BROKER_URL": "redis://env/0"}, "env",
         "environment CELTOP_BROKER_URL"),
        ({"cluster": "prod", "broker_url": "redis://flag/0"}, {}, "flag", "flag -b"),
    ],
)  # fmt: skip
def test_a_clusters_own_settings_come_right_after_the_source_of_its_name(
    tmp_path: Path, flags: dict[str, object], environ: dict[str, str], broker: str, source: str
) -> None:
    file = write(tmp_path / "celtop" / "config.toml", CLUSTERS)
    settings = load_settings(flags, environ)
    assert settings.broker_url == URL.format(broker)
    assert settings.source("broker_url") == source.format(file=file)
    named = "prod" in (flags.get("cluster"), environ.get("CELTOP_CLUSTER"))
    assert settings.queues == (("billing",) if named else ())
    assert settings.max_tasks == 1_000


def test_passwords_in_the_tables_of_clusters_are_masked(tmp_path: Path) -> None:
    text = '[clusters.prod]\nbroker_url = "redis://:se cret@prod/0"\n'
    file = write(tmp_path / "celtop" / "config.toml", text)
    file.chmod(0o644)
    settings = load_settings({})
    assert "cret" not in str(settings.masked("clusters"))
    assert any("contains a password" in warning for warning in settings.warnings)


def test_intervals_are_seconds_or_durations(tmp_path: Path) -> None:
    file = write(tmp_path / "c.toml", 'inspect_interval = 20\nqueue_interval = "1m 30s"')
    settings = load_settings({}, {"CELTOP_INSPECT_INTERVAL": "2m"}, file)
    assert (settings.inspect_interval, settings.queue_interval) == (120.0, 90.0)


def test_the_app_is_loaded_only_if_there_is_one() -> None:
    asked: list[tuple[str, str | None]] = []

    def describe(app: str, workdir: str | None) -> Mapping[str, object]:
        asked.append((app, workdir))
        return {
            "event_exchange": "ours",
            "accept_content": ["pickle", "json"],
            "timezone": "Asia/Tokyo",
        }

    assert load_settings({}, {}, describe=describe).event_exchange == "celeryev"
    assert asked == []
    settings = load_settings({"app": "proj", "workdir": "/srv"}, {}, describe=describe)
    assert asked == [("proj", "/srv")]
    assert settings.event_exchange == "ours"
    assert settings.timezone == "local", "the app's zone is not the screen's"
    assert settings.accept_content == ("json",), "what could run code is left out"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().read_only = True


def test_settings_from_keywords_ignore_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CELTOP_FRUGAL", "true")
    monkeypatch.setenv("FRUGAL", "true")
    assert not Settings().frugal


def test_every_field_is_documented() -> None:
    tree = ast.parse(inspect.getsource(celtop.settings.settings))
    [body] = [
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    ]
    documented = {
        node.target.id
        for node, after in itertools.pairwise(body)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(after, ast.Expr)
    }
    assert set(Settings.model_fields) <= documented


class TestBadValues:
    """One line that names the setting, where it stands and what is wrong."""

    def message(self, *arguments: object, **keywords: object) -> str:
        with pytest.raises(SettingsError) as caught:
            load_settings(*arguments, **keywords)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_in_a_flag(self) -> None:
        message = self.message({"frames_per_second": "fast"}, {})
        assert message.startswith("Invalid value 'fast' for frames_per_second (flag --rate): ")

    def test_in_the_environment(self) -> None:
        message = self.message({}, {"CELTOP_MAX_TASKS": "7"})
        assert "'7' for max_tasks (environment CELTOP_MAX_TASKS)" in message
        assert "greater than or equal to 100" in message

    def test_in_the_file(self, tmp_path: Path) -> None:
        file = write(tmp_path / "c.toml", 'timezone = "mars"')
        assert f"'mars' for timezone (config file {file}, line 1)" in self.message({}, {}, file)

    def test_an_unsafe_serializer(self) -> None:
        assert "accept_content" in self.message({}, {"CELTOP_ACCEPT_CONTENT": "json,pickle"})

    def test_an_unknown_key_and_its_nearest(self, tmp_path: Path) -> None:
        file = write(tmp_path / "c.toml", 'brokr_url = "redis://h"')
        message = self.message({}, {}, file)
        assert f"Unknown key 'brokr_url' in config file {file}, line 1" in message
        assert "'broker_url'" in message

    def test_an_unknown_key_of_a_cluster(self, tmp_path: Path) -> None:
        file = write(tmp_path / "f.toml", "[clusters.a]\nqueue = 1\n")
        expected = f"Unknown key 'clusters.a.queue' in config file {file}, line 2."
        assert self.message(config_file=file).startswith(expected)

    def test_a_name_of_a_cluster_with_control_characters(self, tmp_path: Path) -> None:
        expected = "it must not contain control characters"
        assert expected in self.message({"cluster": "a\x1b[31m"})
        assert expected in self.message({}, {}, write(tmp_path / "f.toml", '[clusters."a\\n"]'))

    def test_an_unknown_key_like_no_other(self, tmp_path: Path) -> None:
        assert "'zzz'" in self.message({}, {}, write(tmp_path / "c.toml", "zzz = 1"))

    def test_a_file_that_is_not_toml(self, tmp_path: Path) -> None:
        file = write(tmp_path / "c.toml", "broker_url: redis://h")
        assert f"Invalid TOML in config file {file}: " in self.message({}, {}, file)

    def test_a_named_file_that_is_not_there(self, tmp_path: Path) -> None:
        assert "No such file" in self.message({}, {}, tmp_path / "c.toml")

    def test_a_budget_of_an_unknown_kind(self, tmp_path: Path) -> None:
        message = self.message({}, {}, write(tmp_path / "c.toml", "[keep]\nfails = 5"))
        assert "unknown kind of task 'fails'; use marked, lost, failed, " in message
        assert "failed must be 0 or more" in self.message({}, {"CELTOP_KEEP": '{"failed": -1}'})

    def test_a_password_in_it(self) -> None:
        environ = {"CELTOP_BROKER_TRANSPORT_OPTIONS": '{"password": "hunter2"'}
        assert "hunter2" not in self.message({}, environ)
        environ = {"CELTOP_BROKER_USE_SSL": "redis://:hunter2@h"}
        assert "hunter2" not in self.message({}, environ)
        assert "hunter2" not in self.message({"theme": ["redis://:hunter2@h"]}, {})


def test_passwords_are_masked_when_settings_are_shown() -> None:
    settings = Settings(
        broker_url="amqp://ann:secret@h//", broker_transport_options={"password": "secret"}
    )
    assert settings.masked("broker_url") == "amqp://ann:***@h//"
    assert settings.masked("broker_transport_options") == {"password": "***"}


def test_budgets_that_are_not_set_keep_their_defaults() -> None:
    assert Settings(keep={"failed": 7}).keep == {**KEEP, "failed": 7}


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"severity": "fatal"}, "severity"),
        ({"ignore": ["no-such-code"]}, "no-such-code"),
        ({"for": "soon"}, "for"),
        ({"webhook": "alerts.example"}, "http"),
        ({"webhook": "http://alerts:99999/"}, "http"),
        ({"webhook": "http://alerts/\x01"}, "http"),
        ({"command": "mail 'x"}, "command"),
        ({"command": [""]}, "command"),
        ({"command": ["mail", "\0"]}, "command"),
        ({"bel": True}, "bel"),
    ],
)
def test_rules_of_alerts_are_checked(rules: dict[str, object], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        load_settings({"alerts": rules}, {})


@pytest.mark.parametrize("url", ["http://rabbit:99999", "ftp://rabbit", "http://a..b", "a b"])
def test_the_url_of_the_management_api_is_checked(url: str) -> None:
    with pytest.raises(SettingsError, match="rabbitmq_management"):
        load_settings({"rabbitmq_management": url}, {})


def test_prometheus(tmp_path: Path) -> None:
    path = write(
        tmp_path / "config.toml",
        """
        prometheus_url = "http://me:secret@prometheus:9090/path"
        prometheus_labels = { job = "celery" }
        """,
    )
    settings = load_settings({}, {}, path)
    assert settings.prometheus_labels == {"job": "celery"}
    assert settings.masked("prometheus_url") == "http://me:***@prometheus:9090/path"
    with pytest.raises(SettingsError, match="prometheus_url"):
        load_settings({"prometheus_url": "prometheus:9090"}, {})


@pytest.mark.parametrize(
    "url", ["never", "", "rabbit", "rabbit:15672", "https://me:a/b#@[::1]:1/x"]
)
def test_urls_of_the_management_api(url: str) -> None:
    assert load_settings({"rabbitmq_management": url}, {}).rabbitmq_management == url


def test_rules_of_alerts_are_completed_and_their_password_is_masked(tmp_path: Path) -> None:
    write(
        tmp_path / "celtop" / "config.toml",
        '[alerts]\nfor = "1m"\ncommand = "mail -s \'celtop alert\' ops"\n'
        'webhook = "http://me:secret@alerts/api"',
    )
    settings = load_settings({}, {})
    assert settings.alerts["for"] == 60.0
    assert settings.alerts["command"] == ("mail", "-s", "celtop alert", "ops")
    assert settings.alerts["severity"] == "error"
    assert "secret" not in str(settings.masked("alerts"))


def test_limits_of_findings_are_numbers_or_durations(tmp_path: Path) -> None:
    write(tmp_path / "celtop" / "config.toml", '[findings]\nqueue_stalled = "5m"')
    limits = load_settings({}, {}).findings
    assert Thresholds(**limits) == Thresholds(queue_stalled=300.0)
    with pytest.raises(ValueError, match="unknown limit 'queue_stale'; use redis_memory, "):
        Settings(findings={"queue_stale": 1.0})
    with pytest.raises(ValueError, match="redis_memory must be 0 or more"):
        Settings(findings={"redis_memory": -0.1})


def test_the_audit_file_is_on_by_default(tmp_path: Path) -> None:
    assert load_settings({}, {}).audit_file is None
    write(tmp_path / "celtop" / "config.toml", 'audit_file = ""')
    assert load_settings({}, {}).audit_file == ""


def test_keys_by_action_id_with_and_without_quotes(tmp_path: Path) -> None:
    file = write(
        tmp_path / "c.toml",
        'keymap = "vim"\n[keys]\n"task.revoke" = "ctrl+x"\nmove.down = ["j", "down"]\nfreeze = ""',
    )
    settings = load_settings({}, {}, file)
    assert settings.keymap == "vim"
    assert settings.keys == {"task.revoke": "ctrl+x", "move.down": ("j", "down"), "freeze": ""}
    assert settings.source("keys", "move.down") == f"config file {file}, line 4"
    assert settings.source("keys", "unknown") == f"config file {file}, line 2"
    settings = load_settings({}, {"CELTOP_KEYS": '{"freeze": "P"}'}, file)
    assert settings.keys == {"freeze": "P"}
    assert settings.source("keys", "freeze") == "environment CELTOP_KEYS"


def test_a_key_that_is_not_text_is_an_error_with_its_line(tmp_path: Path) -> None:
    file = write(tmp_path / "c.toml", "[keys]\nquit = 'Q'\nfreeze = 5")
    with pytest.raises(SettingsError, match=rf"config file {file}, line 3\)"):
        load_settings({}, {}, file)


def test_redact_patterns_may_contain_commas(tmp_path: Path) -> None:
    environ = {"CELTOP_REDACT": "\\d{13,16}\n password \n"}
    assert load_settings({}, environ).redact == (r"\d{13,16}", "password")
    write(tmp_path / "celtop" / "config.toml", r"redact = ['\d{13,16}', 'a,b']")
    assert load_settings({}, {}).redact == (r"\d{13,16}", "a,b")


def test_an_invalid_regular_expression_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "celtop" / "config.toml", "redact = ['ok', 'card[']")
    with pytest.raises(SettingsError, match=r"for redact .*: 'card\[' is not a regular"):
        load_settings({}, {})
    assert file.exists()


def test_progress_paths_are_a_table_of_dotted_paths(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    paths = {"current": "stats.done", "total": "stats.all"}
    text = '[progress_path."geo.*"]\ncurrent = "stats.done"\ntotal = "stats.all"'
    write(tmp_path / "celtop" / "config.toml", text)
    assert load_settings({}, environ).progress_path == {"geo.*": paths}
    environ["CELTOP_PROGRESS_PATH"] = '{"geo.*": {"percent": "done"}}'
    assert load_settings({}, environ).progress_path == {"geo.*": {"percent": "done"}}


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        ({"geo": {"total": "a"}}, "total requires current"),
        ({"geo": {}}, "no path for current, percent or text"),
        ({"geo": {"done": "a"}}, "unknown field 'done'"),
        ({"geo": {"text": "a..b"}}, "not a dotted path"),
        ({" ": {"text": "a"}}, "empty task name pattern"),
        ({"geo": "a.b"}, "dictionary"),
    ],
)
def test_invalid_progress_paths_are_refused(paths: dict[str, object], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        load_settings({"progress_path": paths}, {})


@pytest.mark.parametrize(
    ("text", "mode", "warned"),
    [
        ('broker_url = "redis://:hunter2@h/0"', 0o644, True),
        ('broker_url = "redis://:hunter2@h/0"', 0o600, False),
        ("[broker_transport_options.sentinel_kwargs]\npassword = 'x'", 0o640, True),
        ('broker_url = "redis://h/0"', 0o644, False),
    ],
)
def test_a_password_in_an_open_config_file_is_warned_about(
    text: str, mode: int, warned: bool, tmp_path: Path
) -> None:
    file = write(tmp_path / "c.toml", text)
    file.chmod(mode)
    warnings = load_settings(config_file=file, environ={}).warnings
    assert bool(warnings) == warned
    assert not warned or ("chmod 600" in warnings[0] and "hunter2" not in warnings[0])
