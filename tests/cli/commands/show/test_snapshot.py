"""`celtop snapshot`: its formats, its exit codes, and passwords that must not be printed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from celtop.tests.cli.conftest import CELTOP, celtop, error_text
from celtop.tests.conftest import StartWorker
from celtop.tests.network import black_hole
from celtop.tests.servers import RedisServer, clean_environment, free_port, until


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start celtop without waiting for its end."""
    return subprocess.Popen(
        (*CELTOP, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(XDG_CONFIG_HOME="/nonexistent"),
        start_new_session=True,
    )


def test_each_format(redis_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(redis_url, name="seen")
    as_json = celtop("-b", redis_url, "snapshot", "--format", "json")
    document = json.loads(as_json.stdout)
    assert document["schema"] == "celtop.snapshot/1"
    assert [one["name"] for one in document["workers"]] == [worker.name]
    as_text = celtop("-b", redis_url, "snapshot")
    assert worker.name in as_text.stdout
    assert "\x1b" not in as_text.stdout
    as_svg = celtop("-b", redis_url, "snapshot", "--format", "svg")
    assert ElementTree.fromstring(as_svg.stdout).tag.endswith("svg")
    for ended in (as_json, as_text, as_svg):
        assert ended.returncode == 0
        assert ended.stderr == ""


def test_into_a_file(redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    file.write_text("old")
    ended = celtop(
        "-b", redis_url, "snapshot", "--wait", "0", "--format", "json", "--output", str(file)
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert json.loads(file.read_text())["schema"] == "celtop.snapshot/1"
    assert list(tmp_path.iterdir()) == [file]


def test_into_a_file_that_cannot_be_written(redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "out.json"
    text = error_text(celtop("-b", redis_url, "snapshot", "--wait", "0", "--output", str(file)), 2)
    assert str(file) in text


def test_a_closed_pipe(redis_url: str) -> None:
    running = start("-b", redis_url, "snapshot", "--wait", "0")
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    assert running.wait(30) == 0
    assert running.stderr.read() == ""
    running.stderr.close()


class TestUnreachable:
    """A message on stderr, nothing on stdout, exit code 3, and no hang."""

    def test_connection_refused(self) -> None:
        url = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
        text = error_text(celtop("snapshot", "-b", url, "--wait", "0.5"), 3)
        assert "connection refused" in text
        assert "hunter2" not in text

    @pytest.mark.parametrize("scheme", ["redis", "amqp"])
    def test_a_black_hole(self, scheme: str) -> None:
        with black_hole() as port:
            text = error_text(
                celtop("snapshot", "-b", f"{scheme}://127.0.0.1:{port}//", "--wait", "0.5"), 3
            )
        assert "Cannot use the broker" in text

    def test_a_wrong_password(self, tmp_path: Path) -> None:
        server = RedisServer(tmp_path, "--requirepass", "right").start()
        try:
            url = server.url(credentials=":wrong-hunter2@")
            text = error_text(celtop("snapshot", "-b", url, "--wait", "0.5"), 3)
        finally:
            server.kill()
        assert "assword" in text
        assert "hunter2" not in text

    def test_an_unknown_scheme(self) -> None:
        text = error_text(celtop("snapshot", "-b", "nonsense://h", "--wait", "0.5"), 2)
        assert "nonsense" in text

    @pytest.mark.slow
    def test_a_broker_that_is_lost_meanwhile(self, own_redis: RedisServer) -> None:
        """The state known until then is printed."""
        running = start("-b", own_redis.url(), "snapshot", "--format", "json", "--wait", "6")
        until(
            # It asks the workers once it is live; it listens a moment before.
            lambda: "cmdstat_publish" in own_redis.client().info("commandstats"),
            what="it is connected",
        )
        own_redis.kill()
        out, err = running.communicate(timeout=40)
        assert running.returncode == 3
        assert json.loads(out)["broker"]["status"] == "lost"
        assert "Traceback" not in err
        assert err.startswith("celtop: broker: not connected: Cannot connect to")
        assert len(err.splitlines()) == 1


class TestUsage:
    """Exit code 2, and a message that shows what to type."""

    def test_no_broker(self) -> None:
        text = error_text(celtop("snapshot"), 2)
        assert "-b URL" in text
        assert "celtop demo" in text

    def test_the_password_of_a_url_without_its_flag_is_not_printed(self) -> None:
        assert "hunter2" not in error_text(celtop("redis://:hunter2@h/0"), 2)

    @pytest.mark.parametrize("arguments", [("--format", "yaml"), ("--wait", "soon"), ("--nope",)])
    def test_invalid_options(self, arguments: tuple[str, ...]) -> None:
        assert "celtop snapshot --help" in error_text(celtop("snapshot", *arguments), 2)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGQUIT, 131)]
)
def test_interrupted(
    redis_server: RedisServer, redis_url: str, number: signal.Signals, code: int
) -> None:
    """It exits at once, prints nothing, and leaves no subscription on the broker."""
    before = int(redis_server.client().pubsub_numpat())
    running = start("-b", redis_url, "snapshot", "--wait", "300")
    until(lambda: int(redis_server.client().pubsub_numpat()) > before, what="it listens")
    os.kill(running.pid, number)
    out, err = running.communicate(timeout=10)
    assert (running.returncode, out, err.strip()) == (code, "", "")
    until(lambda: int(redis_server.client().pubsub_numpat()) == before, what="it has left")
