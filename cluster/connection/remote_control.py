"""Celery's remote control protocol from the sending side: commands out, replies as they come.

kombu's own `Mailbox` sends one command at a time, waits a full second after the last reply, and
retries a failed send forever. Here several commands are sent at once, each reply is passed on at
once, and `gather` ends when all expected workers have replied.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .alarms import write_error
from .broker import BrokerConnection
from .mailboxes import Mailboxes, mailboxes_on
from .redis import replies as redis_replies
from .redis.fanout import publish_all
from .replies import SERIALIZERS, Replies, Reply

if TYPE_CHECKING:
    from kombu.connection import Connection

FORBIDDEN: Final = frozenset({"election"})
"""Commands that crash the workers that receive them."""
QUIET_PERIOD: Final = 1.5
"""Seconds since the last reply after which no further ones are expected, besides the time that
messages are on their way."""
ON_THE_WAY: Final = 6.0
"""The longest time that a reply is on its way, in round trips to the broker: to wait for it on
Redis, kombu first opens another connection."""
SLOW_ROUND_TRIP: Final = 0.01
"""Seconds of a round trip above which replies are fetched several at a time; below, that would only
be one more command for each reply."""
MANY_REPLIES: Final = 6
"""Missing replies from which they are fetched several at a time over a fast link too: each reply
costs kombu a command, and workers send them within milliseconds of each other."""
COLLECT_TIMES: Final = 0.03, 0.25
"""Seconds in which these collect: the first time, then twice as many each time since busy workers
reply slowly, and at most."""
SPARING_COLLECT_TIMES: Final = 0.12, 1.0
"""The same with a budget of commands: replies are fetched at these times only, which takes one
command instead of two."""
WRITABLE_FOR: Final = 1.0
"""Seconds for which a server that accepts writes is not asked again."""
SPARING_WRITABLE_FOR: Final = 10.0
"""The same with a budget of commands."""
DRAIN_TIMEOUT: Final = 0.25
"""Seconds between two checks whether to go on waiting."""
Arguments: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Arguments by command, for those that take any."""


class RemoteControl:
    """Sends commands over one connection; not to be shared between threads."""

    def __init__(self, connection: Connection, broker: BrokerConnection) -> None:
        from kombu import Exchange, Queue

        self._connection = connection
        self._broker = broker
        self._is_redis = connection.transport.driver_type == "redis"
        self._is_slow = broker.round_trip > SLOW_ROUND_TRIP
        self._is_sparing = self._is_redis and broker.meter.is_limited
        self._listening: int | None = None
        self._on_the_way = ON_THE_WAY * broker.round_trip
        self._is_amqp = connection.transport.driver_name == "py-amqp"
        self._accept = list(broker.settings.accept_content)
        self._id = str(uuid.uuid4())
        self._queue_declared = False
        self._receiving = False
        self._last_reply_at = 0.0
        self._consumer: Any = None
        self._pending: dict[str, tuple[str, Replies]] = {}
        """By ticket: the command, and where its replies go."""
        self._namespace = namespace = broker.settings.control_exchange
        self._exchange = Exchange(
            f"{namespace}.pidbox", type="fanout", durable=False, delivery_mode="transient"
        )
        replies = Exchange(
            f"reply.{namespace}.pidbox", type="direct", durable=False, delivery_mode="transient"
        )
        self._queue = Queue(
            f"{self._id}.{replies.name}",
            exchange=replies,
            routing_key=self._id,
            durable=False,
            auto_delete=True,
            # The broker deletes it with the connection, even before anything consumes from it.
            exclusive=True,
            expires=60.0,
        )

    def prepare(self) -> None:
        """Do everything that precedes sending: if this fails, nothing has been sent.

        A worker that cannot write its reply to Redis may crash (kombu 5.7), so none is asked while
        the server refuses writes.
        """
        writable_for = SPARING_WRITABLE_FOR if self._is_sparing else WRITABLE_FOR
        fresh = time.monotonic() - self._broker.writable_at <= writable_for
        if not fresh and (error := write_error(self._connection)) is not None:
            raise error
        self._declare()

    def _declare(self) -> None:
        if self._exchange.name not in self._broker.declared_exchanges:
            self._exchange(self._connection.default_channel).declare()
            self._broker.declared_exchanges.add(self._exchange.name)

    def mailboxes(self) -> Mailboxes:
        """Return the mailboxes of all workers; on Redis only.

        With a budget of commands, those count that received the last command.

        Raises:
            Exception: Any error of the transport.
        """
        return mailboxes_on(self._connection, self._namespace, self._listening)

    def broadcast(
        self,
        command: str,
        destination: Sequence[str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a command without asking for replies."""
        self._publish([self._message(command, destination, arguments)])

    def broadcast_except(self, command: str, workers: Collection[str]) -> None:
        """Send a command to all workers but these, known or not, without asking for replies."""
        self._publish([self._message(command, None, None, excluded=workers)])

    def send(
        self,
        commands: Sequence[str],
        destination: Sequence[str] | None = None,
        arguments: Arguments | None = None,
        on_reply: Callable[[Reply], object] | None = None,
        excluded: Collection[str] = (),
    ) -> Replies:
        """Send commands to some workers, or to all; `wait` adds replies to the returned value.

        Args:
            commands: The commands.
            destination: The workers; None for all but the `excluded` ones, known or not.
            arguments: The arguments of the commands.
            on_reply: Called with each reply.
            excluded: Workers that ignore the commands.
        """
        replies = Replies(commands, on_reply, addressed=destination is not None)
        messages = []
        for command in commands:
            ticket = str(uuid.uuid4())
            self._pending[ticket] = command, replies
            given = (arguments or {}).get(command)
            messages.append(self._message(command, destination, given, ticket, excluded))
        self._publish(messages)
        return replies

    def wait(
        self,
        replies: Replies,
        expected: Collection[str] | Callable[[], Collection[str] | None] | None = None,
        *,
        quiet_period: float = QUIET_PERIOD,
        discovery_time: float = 0.0,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Replies:
        """Wait until all expected workers have replied, or no reply came for a while.

        Args:
            replies: What `send` returned.
            expected: The workers; None if they are unknown. A function is called again each time.
            quiet_period: Seconds since the last reply to anything after which to end; over a slow
                link, the time that messages are on their way is added.
            discovery_time: Seconds in which unexpected workers may reply in any case; likewise.
            cancelled: Whether to end at once.

        Raises:
            Exception: Any error of the transport when the connection is lost.
        """
        started = self._last_reply_at = time.monotonic()
        collect_time, longest = SPARING_COLLECT_TIMES if self._is_sparing else COLLECT_TIMES
        quiet_period += self._on_the_way
        discovery_time += self._on_the_way if discovery_time else 0.0
        while not cancelled() and time.monotonic() - self._last_reply_at <= quiet_period:
            workers = expected() if callable(expected) else expected
            discovered = time.monotonic() - started >= discovery_time
            if discovered and workers is not None and replies.complete(workers):
                break
            fetch = self._is_sparing
            if not fetch:
                with suppress(TimeoutError):
                    self._connection.drain_events(timeout=DRAIN_TIMEOUT)
                    many = replies.missing(workers) >= MANY_REPLIES
                    fetch = self._is_redis and (self._is_slow or many)
            if fetch:
                if self._is_sparing or not self._is_slow:
                    time.sleep(collect_time)
                    collect_time = min(2 * collect_time, longest)
                redis_replies.deliver_waiting(self._connection.default_channel, self._queue.name)
        if self._last_reply_at == started:
            self._forget_queue()
        return replies

    def gather(
        self,
        commands: Sequence[str],
        expected: Collection[str] | Callable[[], Collection[str] | None] | None = None,
        *,
        destination: Sequence[str] | None = None,
        arguments: Arguments | None = None,
        on_reply: Callable[[Reply], object] | None = None,
        excluded: Collection[str] = (),
        **waiting: Any,
    ) -> Replies:
        """Send commands and wait for the replies; the arguments are those of `send` and `wait`."""
        self.prepare()
        with nullcontext() if self._receiving else self.receiving():
            replies = self.send(commands, destination, arguments, on_reply, excluded)
            return self.wait(replies, expected, **waiting)

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """Receive replies to all commands that are sent within the block, however late.

        Raises:
            Exception: Any error of the transport when the connection is lost.
        """
        if self._consumer is None:
            self._consume()
        self._receiving = True
        try:
            yield
        finally:
            self._receiving = False
            self._pending.clear()
            # Over AMQP, replies are pushed and cost nothing, and a new queue would cost commands.
            if not self._is_amqp and self._consumer is not None:
                consumer, self._consumer = self._consumer, None
                consumer.cancel()

    def _consume(self) -> None:
        from kombu import Consumer

        channel = self._connection.default_channel
        queue = self._queue(channel)
        if not self._queue_declared:
            if self._is_redis:
                redis_replies.declare(channel, queue)
            else:
                queue.declare()
            # Elsewhere the queue is deleted with its last consumer, at the end of the block.
            self._queue_declared = self._is_redis
        self._consumer = Consumer(
            channel,
            [queue],
            on_message=self._on_message,
            on_decode_error=self._on_decode_error,
            accept=self._accept,
            no_ack=True,
            auto_declare=False,
        )
        self._consumer.consume()

    def _forget_queue(self) -> None:
        """Have the reply queue declared again: without a reply, FLUSHALL may have removed it."""
        state = getattr(self._connection.default_channel, "state", None)
        if self._queue_declared and state is not None:
            # kombu remembers what it has bound, and does not repeat it.
            state.queue_bindings_delete(self._queue.name)
            self._queue_declared = False

    def close(self) -> None:
        """Delete our reply queue, unless it is exclusive and ends with the connection (AMQP)."""
        if self._is_amqp:
            return
        channel = self._connection.default_channel
        if not self._is_redis:
            self._queue(channel).delete()
        elif self._queue_declared:
            redis_replies.delete(channel, self._queue)

    def _message(
        self,
        command: str,
        destination: Sequence[str] | None,
        arguments: Mapping[str, Any] | None,
        ticket: str | None = None,
        excluded: Collection[str] = (),
    ) -> dict[str, Any]:
        if command in FORBIDDEN:
            raise ValueError(f"{command} crashes workers")
        names = "|".join(map(re.escape, sorted(excluded)))
        pattern = f"^(?!(?:{names})$)" if names else None
        message: dict[str, Any] = {
            "method": command,
            "arguments": dict(arguments or {}),
            "destination": list(destination) if destination is not None else None,
            "pattern": pattern,
            "matcher": "pcre" if pattern else None,
        }
        if ticket:
            reply_to = {"exchange": self._queue.exchange.name, "routing_key": self._id}
            message |= {"ticket": ticket, "reply_to": reply_to}
        return message

    def _publish(self, messages: Sequence[Mapping[str, Any]]) -> None:
        from kombu import Producer
        from kombu.utils.json import dumps

        self._declare()
        channel, exchange = self._connection.default_channel, self._exchange.name
        # kombu's `expires` header is left out: no version of its workers looks at it.
        headers = {"clock": 1}
        if self._is_redis:
            bodies = list(map(dumps, messages))
            received = publish_all(channel, exchange, "", bodies, headers)
            self._listening = received[-1] if self._is_sparing else None
            return

        producer = Producer(channel, auto_declare=False)
        for message in messages:
            producer.publish(
                message, exchange=exchange, headers=headers, serializer="json", retry=False
            )

    def _on_decode_error(self, message: Any, error: Exception) -> None:
        command, replies = self._pending.get(str(message.headers.get("ticket", "")), ("", None))
        if replies is not None:
            replies.add_unreadable(command, f"an unknown format ({error})")

    def _on_message(self, message: Any) -> None:
        from kombu.exceptions import ContentDisallowed

        command, replies = self._pending.get(str(message.headers.get("ticket", "")), ("", None))
        if replies is None:
            return
        self._last_reply_at = time.monotonic()
        try:
            body = message.decode()
        except ContentDisallowed:
            type_ = str(message.content_type)
            replies.add_unreadable(command, SERIALIZERS.get(type_, type_))
        except Exception as error:  # a serializer may raise anything on a broken body
            type_ = str(message.content_type)
            reason = SERIALIZERS.get(type_, type_)
            replies.add_unreadable(command, f"{reason} ({type(error).__name__})")
        else:
            for worker, value in body.items() if isinstance(body, dict) else ():
                error_ = value.get("error") if isinstance(value, dict) and len(value) == 1 else None
                text = None if error_ is None else str(error_)
                replies.add(Reply(str(worker), command, value, text))
