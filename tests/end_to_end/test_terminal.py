"""The TUI in a pseudo-terminal: started, used and quit like a user does."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from celtop.tests.conftest import StartWorker
from celtop.tests.end_to_end.conftest import OpenTui
from celtop.tests.servers import RedisServer, until

Send = Callable[..., str]
ENTER = "\r"
ESCAPE = "\x1b"


def test_a_worker_appears_soon(tui: OpenTui, redis_url: str, start_worker: StartWorker) -> None:
    """No event is needed for that."""
    start_worker(redis_url, name="early")
    terminal = tui(redis_url)
    terminal.wait_for("early@")


def test_filter_drill_down_and_quit(
    tui: OpenTui, redis_url: str, start_worker: StartWorker, send: Send
) -> None:
    """The steps of an operator who investigates a failure."""
    start_worker(redis_url, name="w1", pool="threads")
    terminal = tui(redis_url, columns=140)
    terminal.wait_for("w1@")
    terminal.wait_for("live")
    send(redis_url, "plain.ok", "fine")
    failed = send(redis_url, "plain.fail", "the disk is full")
    terminal.send("2")
    terminal.wait_for(lambda text: "plain.ok" in text and "plain.fail" in text)
    terminal.send("/state:failure")
    terminal.wait_for(lambda text: "plain.fail" in text and "plain.ok" not in text)
    terminal.send(ENTER)
    terminal.send(ENTER)
    terminal.wait_for(
        lambda text: failed in text and "the disk is full" in text and "Timeline" in text
    )
    terminal.send(ESCAPE)
    terminal.wait_for(lambda text: "Timeline" not in text)
    terminal.send("\x03")
    assert terminal.wait_end() == 0
    assert terminal.restored()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals_restore_the_terminal(
    tui: OpenTui, redis_server: RedisServer, redis_url: str, ending: signal.Signals
) -> None:
    """celtop leaves no process, no terminal mode and no subscription behind."""
    before = int(redis_server.client().pubsub_numpat())
    terminal = tui(redis_url)
    terminal.wait_for("live")
    until(lambda: int(redis_server.client().pubsub_numpat()) > before)
    terminal.process.send_signal(ending)
    terminal.wait_end(timeout=5)
    assert terminal.restored()
    until(lambda: int(redis_server.client().pubsub_numpat()) == before)


def test_a_lost_terminal_ends_the_program(tui: OpenTui, redis_url: str) -> None:
    """A dropped ssh connection must not leave a spinning process behind."""
    terminal = tui(redis_url)
    terminal.wait_for("live")
    terminal.hang_up()
    terminal.process.wait(10)


@pytest.mark.slow
def test_a_lost_terminal_without_a_signal(tui: OpenTui, redis_url: str) -> None:
    """Without SIGHUP (as with some `sudo su`), the loss of the terminal must be detected."""
    terminal = tui(redis_url, controlling=False)
    terminal.wait_for("live")
    terminal.hang_up()
    terminal.process.wait(15)


def test_a_broker_that_is_lost_and_comes_back(
    tui: OpenTui, own_redis: RedisServer, start_worker: StartWorker, send: Send
) -> None:
    """The loss is shown, celtop reconnects, and the screen is up to date again."""
    url = own_redis.url()
    start_worker(url, name="w1", pool="threads")
    terminal = tui(url)
    terminal.wait_for("w1@")
    own_redis.kill()
    terminal.wait_for("connection refused", timeout=30)
    own_redis.start()
    terminal.wait_for(lambda text: "live" in text and "connection refused" not in text, timeout=60)
    terminal.send("7")
    terminal.wait_for("lost")
    sent = send(url, "plain.ok", 5)
    terminal.send("2")
    terminal.wait_for(sent[:8], timeout=60)


def test_a_broker_that_is_down_at_the_start(tui: OpenTui, own_redis: RedisServer) -> None:
    """No crash and no hang: a message shows what to do until the broker is up."""
    own_redis.kill()
    terminal = tui(own_redis.url())
    terminal.wait_for("connection refused")
    own_redis.start()
    terminal.wait_for(lambda text: "live" in text and "connection refused" not in text, timeout=30)


@pytest.mark.slow
def test_a_worker_killed_with_9_goes_late_and_then_offline(
    tui: OpenTui, redis_url: str, start_worker: StartWorker
) -> None:
    """A killed worker sends no event: it goes late by the interval of its heartbeats."""
    terminal = tui(redis_url)
    terminal.send("3")
    terminal.wait_for("live")
    # Started later, so that its interval is known at once: offline after 8 heartbeats.
    options = ("--heartbeat-interval", "1")
    worker = start_worker(redis_url, name="victim", pool="threads", options=options)
    terminal.wait_for(lambda text: "victim@" in text and "online" in text)
    worker.child.kill()
    terminal.wait_for("late", timeout=20)
    terminal.wait_for("offline", timeout=30)


def test_hostile_arguments_are_shown_harmlessly(
    tui: OpenTui, redis_url: str, start_worker: StartWorker, send: Send
) -> None:
    """Brackets, links, escape codes, right-to-left marks and emoji are only displayed."""
    start_worker(redis_url, name="w1", pool="threads")
    terminal = tui(redis_url, columns=200, rows=50)
    terminal.wait_for("w1@")
    hostile = ("[/]", "[link=x]a[/link]", "\x1b[2J\x1b]0;owned\x07", "‮abc", "👩‍👩‍👧‍👦", "\x9b31m")
    ids = [send(redis_url, "plain.fail", text) for text in hostile]
    terminal.send("2")
    terminal.wait_for(lambda text: all(task[:8] in text for task in ids))
    for _ in hostile:
        terminal.send(ENTER)
        terminal.wait_for("Timeline")
        terminal.send(ESCAPE)
        terminal.wait_for(lambda text: "Timeline" not in text)
        terminal.send("j")
    assert b"\x1b]0;owned" not in bytes(terminal.output)
    assert b"\x1b[2J\x1b]0" not in bytes(terminal.output)
    assert "‮".encode() not in bytes(terminal.output)
    assert terminal.process.poll() is None


@pytest.mark.parametrize(("columns", "rows"), [(200, 50), (120, 36), (80, 24), (60, 15), (38, 9)])
def test_every_size(
    tui: OpenTui, redis_url: str, start_worker: StartWorker, columns: int, rows: int
) -> None:
    """The connection status is visible at any size; every screen opens."""
    start_worker(redis_url, name="w1")
    terminal = tui(redis_url, columns=columns, rows=rows)
    terminal.wait_for("live" if rows >= 15 else "1/1")
    if rows >= 15:
        titles = ("State", "Worker", "Queue", "Task", "Due", "Message")
        for key, title in zip("234567", titles, strict=True):
            terminal.send(key)
            terminal.wait_for(title)
    assert terminal.process.poll() is None


def test_a_resize_is_followed(tui: OpenTui, redis_url: str, start_worker: StartWorker) -> None:
    """From wide to narrow and back, without truncation."""
    start_worker(redis_url, name="w1")
    terminal = tui(redis_url, columns=160, rows=40)
    terminal.wait_for("w1@")
    terminal.resize(70, 20)
    terminal.wait_for(lambda text: "w1@" in text and max(map(len, text.split("\n"))) <= 70)
    terminal.resize(160, 40)
    terminal.wait_for(lambda text: "w1@" in text and max(map(len, text.split("\n"))) > 120)


def test_a_resize_and_back_is_drawn(tui: OpenTui, redis_url: str) -> None:
    """The terminal has lost what was outside, though celtop sees no other size than before."""
    terminal = tui(redis_url, columns=160, rows=40)
    terminal.wait_for("live")
    terminal.send("2")
    before = terminal.wait_for("No tasks so far").splitlines()
    terminal.process.send_signal(signal.SIGSTOP)
    terminal.resize(70, 20)
    terminal.resize(160, 40)
    assert terminal.lines()[-1] != before[-1]
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait_for(lambda text: text.splitlines()[-1] == before[-1])


def test_the_screen_is_redrawn_after_suspend(tui: OpenTui, redis_url: str) -> None:
    """`ctrl+z` and `fg`: the shell has overwritten the screen meanwhile."""
    terminal = tui(redis_url)
    terminal.wait_for("live")
    terminal.send("2")
    terminal.wait_for("No tasks so far")
    terminal.send("\x1a")
    status = Path(f"/proc/{terminal.process.pid}/stat")
    until(lambda: status.read_text().rpartition(")")[2].split()[0] == "T", what="it is stopped")
    terminal.screen.reset()
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait_for("No tasks so far")


@pytest.mark.slow
def test_a_terminal_that_stops_reading_loses_nothing(
    tui: OpenTui, redis_url: str, start_worker: StartWorker, send: Send
) -> None:
    """Drawing may stall; collecting events does not."""
    worker = start_worker(redis_url, name="w1", pool="threads", concurrency=4)
    terminal = tui(redis_url)
    terminal.wait_for("w1@")
    terminal.send("2")
    terminal.reading.clear()
    for n in range(300):
        send(redis_url, "plain.ok", n)
    last = send(redis_url, "plain.fail", "the last one")
    until(
        lambda: worker.child.output.count(" succeeded in ") == 300 and last in worker.child.output
    )
    terminal.reading.set()
    terminal.wait_for(last[:8], timeout=30)
    terminal.wait_for("301 tasks", timeout=30)


def test_a_dumb_terminal_is_refused(tui: OpenTui, redis_url: str) -> None:
    """It cannot show the monitor: the message recommends the headless command."""
    terminal = tui(redis_url, env={"TERM": "dumb"})
    assert terminal.wait_end() == 2
    assert "celtop snapshot" in terminal.text()


@pytest.mark.parametrize(
    "env",
    [{"NO_COLOR": "1"}, {"LC_ALL": "C", "LANG": "C"}, {"TERM": "xterm"}],
    ids=["no colour", "no UTF-8", "16 colours"],
)
def test_poor_terminals(
    tui: OpenTui, redis_url: str, start_worker: StartWorker, env: dict[str, str]
) -> None:
    """The screen is legible without colour, without UTF-8, and with 16 colours."""
    start_worker(redis_url, name="w1")
    terminal = tui(redis_url, env=env)
    text = terminal.wait_for("w1@")
    if "LC_ALL" in env:
        assert text.isascii(), [character for character in text if not character.isascii()][:20]
    if "NO_COLOR" in env:
        assert b"\x1b[38;" not in bytes(terminal.output)
    if env.get("TERM") == "xterm":
        assert b"38;5;" not in bytes(terminal.output)
        assert b"38;2;" not in bytes(terminal.output)
