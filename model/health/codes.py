"""The codes of all findings, with their meaning and what to do.

The one table of them: `docs/findings.md` is made from it, and a test compares it with the modules
that make findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from .finding import Severity, SubjectKind


class Code(msgspec.Struct, frozen=True):
    """The code of a finding, as it is documented."""

    kind: SubjectKind
    severities: tuple[Severity, ...]
    """Those that it may have, the worst first."""
    meaning: str
    """One sentence with its full stop."""
    remedy: str
    """What to do, in sentences with full stops."""


CODES: Final[Mapping[str, Code]] = {
    # Broker and events
    "broker-blocked": Code(
        "broker",
        ("error",),
        "The broker is connected but accepts no messages: a memory or disk alarm of RabbitMQ, or "
        "Redis out of memory.",
        "Free memory or disk space on the broker. Workers cannot send events meanwhile, so that "
        "none of them is reported as lost.",
    ),
    "broker-lost": Code(
        "broker",
        ("error",),
        "The connection to the broker is lost or cannot be made.",
        "Check whether the broker runs and can be reached. celtop keeps retrying; everything that "
        "it shows is from before the loss.",
    ),
    "broker-unverified": Code(
        "broker",
        ("warning",),
        "The encrypted connection to the broker does not verify the certificate or the host name.",
        "Set the certificate options in `broker_use_ssl`.",
    ),
    "redis-memory": Code(
        "broker",
        ("error", "warning"),
        "Redis uses 90 % of `maxmemory` or more (`redis_memory`), and evicts nothing. At the limit "
        "it refuses messages, results and events.",
        "Raise `maxmemory`, or remove waiting messages and old results.",
    ),
    "redis-evicts": Code(
        "broker",
        ("error", "warning", "info"),
        "`maxmemory-policy` of Redis is not `noeviction`: when memory is full, it deletes keys, "
        "and with them queues and results. It is an error if memory is nearly full, or if keys "
        "have been deleted. The `volatile` policies delete results only.",
        "Set `maxmemory-policy` to `noeviction` on a Redis that is a broker.",
    ),
    "events-lost": Code(
        "events",
        ("error",),
        "Events arrived faster than celtop processed them, and were dropped.",
        "Raise `inbox_events` in the config file if it happens often.",
    ),
    "events-unreadable": Code(
        "events",
        ("warning",),
        "Events could not be decoded, for example because they are not in JSON.",
        "Set `event_serializer` of the workers to `json`.",
    ),
    "workers-unknown": Code(
        "workers",
        ("error", "info"),
        "The list of workers may be incomplete, because the question for it failed.",
        "Follow the advice of the finding; it depends on the fault.",
    ),
    "queues-unknown": Code(
        "queues",
        ("error", "info"),
        "The list of queues may be incomplete: the question for it failed, or the broker cannot "
        "list its queues (`info`).",
        "On RabbitMQ, enable the management API or set `rabbitmq_management`; otherwise name the "
        "important queues with `--queues`.",
    ),
    "depths-unknown": Code(
        "queues",
        ("error", "info"),
        "Queue depths could not be measured.",
        "Follow the advice of the finding; it depends on the fault.",
    ),
    "results-unknown": Code(
        "results",
        ("error", "info"),
        "Results could not be read from the result backend.",
        "Check the URL and the permissions of the result backend.",
    ),
    "history-unknown": Code(
        "history",
        ("warning",),
        "The history is not being written, for example because the disk is full; or, with"
        " `--from-history`, cannot be read, or no collector writes it.",
        "Correct what the finding names; `celtop history` shows where the history is.",
    ),
    # Queues
    "queue-without-consumers": Code(
        "queue",
        ("error",),
        "Messages are waiting in a queue that no worker consumes.",
        "Start a worker for the queue, or add a consumer; purge it if its tasks are not needed.",
    ),
    "queue-missing": Code(
        "queue",
        ("error",),
        "RabbitMQ has no queue of this name, for example since it was deleted, and drops the tasks "
        "that are sent to it. Clients declare a queue only once while they are connected. Known "
        "only of clients with `task_send_sent_event`.",
        "Restart a worker of the queue, or the senders, which declare it; then send the tasks "
        "again.",
    ),
    "queue-stalled": Code(
        "queue",
        ("error",),
        "Messages are waiting and consumers have free processes, but nothing was taken for a while "
        "(`queue_stalled`).",
        "Check the logs of the consumers that are named, and restart them: their connection to the "
        "broker may be dead.",
    ),
    "queue-full": Code(
        "queue",
        ("warning",),
        "All processes of all consumers are busy, and the queue grows (`queue_full`).",
        "Add processes or workers; the finding names how many if rates are known.",
    ),
    "queue-growing": Code(
        "queue",
        ("warning",),
        "More tasks arrived than were taken for minutes (`queue_growing`), though not all "
        "processes are busy. The finding names when the queue will have doubled.",
        "Find out why tasks became slower or more frequent, or what limits their rate.",
    ),
    "delayed-queue-stuck": Code(
        "queue",
        ("error",),
        "Messages of Celery's delayed delivery (countdowns and ETAs on RabbitMQ's quorum queues) "
        "will not reach their queue, or should have reached it.",
        "Restart a worker of the queue, which binds it for delayed delivery; if it is bound, check "
        "whether the queue has a length limit.",
    ),
    "queue-paused": Code(
        "queue",
        ("warning",),
        "celtop paused the queue: its consumers were cancelled.",
        "Resume it on the screen (undo), or with `celtop control resume QUEUE`.",
    ),
    "queue-revoked-messages": Code(
        "queue",
        ("info",),
        "Revoked messages still wait: a worker discards each when it receives it. Workers keep "
        "revoked ids in memory, so that the tasks run if all workers restart before.",
        "On Redis, delete them with `celtop purge QUEUE --filter state:revoked,revoking`.",
    ),
    "unacked-by-dead-worker": Code(
        "queue",
        ("warning",),
        "A worker that is gone had received messages of the queue on Redis and not acknowledged "
        "them, also if it died before celtop started.",
        "Nothing is lost: they are redelivered when the visibility timeout ends. To run one "
        "earlier, retry its task and revoke the original.",
    ),
    "queues-left-out": Code(
        "queues",
        ("warning",),
        "There are more queues than celtop keeps, and the others have waiting messages.",
        "Check whether queues are created per task or per client, and never deleted.",
    ),
    "other-clusters": Code(
        "workers",
        ("warning", "info"),
        "No worker was found, but the broker has traces of another configuration.",
        "Set the database, virtual host or prefix that the workers use.",
    ),
    # Workers
    "worker-lost": Code(
        "worker",
        ("error",),
        "No heartbeat was received for a while, and no worker-offline event.",
        "Check the worker's process and log. Messages that it had not acknowledged are "
        "redelivered at the time that the finding names.",
    ),
    "worker-offline": Code(
        "worker",
        ("error", "warning"),
        "The worker shut down; it is an error if tasks had not finished.",
        "Start it again if that was not intended.",
    ),
    "worker-late": Code(
        "worker",
        ("warning",),
        "The worker's heartbeat is overdue.",
        "Wait; if it does not return, it becomes `worker-lost`.",
    ),
    "worker-stalled": Code(
        "worker",
        ("error",),
        "The worker sends heartbeats but takes no tasks, although messages are waiting.",
        "Check its log, and restart it if it does not recover.",
    ),
    "worker-restarts": Code(
        "worker",
        ("error",),
        "The worker came online five times or more in five minutes, less than five minutes ago.",
        "Check its log: it ends, or loses its connection to the broker, for example because it "
        "declares a queue with other arguments than the broker has.",
    ),
    "worker-shared-name": Code(
        "worker",
        ("error",),
        "Several workers use one name; their data is mixed up.",
        "Start each with its own name, for example `-n worker2@%h`.",
    ),
    "worker-inspect-failed": Code(
        "worker",
        ("warning",),
        "The worker did not reply to inspect commands; its values are unknown or out of date.",
        "Check its log if it replies to other commands.",
    ),
    "worker-clock-skew": Code(
        "worker",
        ("warning",),
        "The clock of the worker's host differs from this host's.",
        "Synchronize the clocks, for example with NTP.",
    ),
    "local-clock-skew": Code(
        "workers",
        ("warning",),
        "The clock of this host differs from those of all workers, which agree.",
        "Synchronize the clocks, for example with NTP.",
    ),
    "workers-without-events": Code(
        "workers",
        ("warning",),
        "Workers cannot send task events: they were started without gossip and heartbeats.",
        "Start them with `-E`, or without `--without-gossip` and `--without-heartbeat`.",
    ),
    "workers-events-off": Code(
        "workers",
        ("warning",),
        "Task events are disabled on workers, so that short tasks are missed.",
        "Run `celtop control enable-events`, or start the workers with `-E`.",
    ),
    # Workers, configuration
    "worker-silent": Code(
        "worker",
        ("error",),
        "A worker that sends heartbeats replies to remote control, but has sent no event for a "
        "while.",
        "Restart it. Its states and counts are out of date, and it may not take tasks.",
    ),
    "worker-hoards": Code(
        "worker",
        ("warning",),
        "A worker has reserved many more tasks than it can run, while other workers of the queue "
        "have free processes.",
        "Lower `worker_prefetch_multiplier`; 1 suits long tasks.",
    ),
    "worker-beyond-prefetch": Code(
        "worker",
        ("warning",),
        "A worker has reserved more tasks than its prefetch count allows, so that its queues look "
        "emptier than they are.",
        "Restart it; the messages return to their queues.",
    ),
    "workers-differ": Code(
        "queue",
        ("warning",),
        "The workers of a queue have different versions of Celery, registered tasks or settings.",
        "Deploy the same code and settings to all of them, or use separate queues.",
    ),
    "queue-blocked-by-eta": Code(
        "queue",
        ("error",),
        "Messages wait, and none was taken in the last minute, while the whole prefetch of the "
        "consumers is taken by tasks that wait for their ETA.",
        "Raise `worker_prefetch_multiplier`, or send tasks with an ETA to a queue of their own.",
    ),
    "type-rate-limited": Code(
        "type",
        ("warning", "info"),
        "A rate limit holds back ten or more tasks of a type. It is a warning if these take up the "
        "prefetch count of a worker, so that it receives no other messages.",
        "Raise the limit with `celtop control rate-limit` if they should run sooner, or send them "
        "to a queue of their own.",
    ),
    "task-crash-loop": Code(
        "task",
        ("error",),
        "A task was started several times, and its runs had no end: it probably kills the process "
        "that runs it.",
        "Revoke it, and check the memory and the kernel log of the hosts.",
    ),
    "type-kills-processes": Code(
        "type",
        ("error",),
        "Pool processes ended while they ran tasks of a type in the last ten minutes "
        "(`WorkerLostError`). With SIGKILL, the host or container was probably out of memory.",
        "Check the kernel log and the memory limit.",
    ),
    "result-extended-off": Code(
        "workers",
        ("info",),
        "`result_extended` is off, so that results have no task name, arguments, queue or worker.",
        "Set `result_extended = True`.",
    ),
    "track-started-off": Code(
        "workers",
        ("info",),
        "`task_track_started` and task events are off, so that running tasks are only known while "
        "they are inspected.",
        "Set `task_track_started = True`, or enable task events.",
    ),
    "fault-revoke-overwrites-results": Code(
        "workers",
        ("warning",),
        "Celery 5.6.2 and 5.6.3: a revoke overwrites the result of a task that has failed, and "
        "marks a running task as REVOKED in the result backend.",
        "Upgrade Celery to 5.7, and revoke only tasks that have not started.",
    ),
    "fault-reconnect-stops-consuming": Code(
        "workers",
        ("warning",),
        "Celery before 5.5 on Redis, with kombu before 5.4: after a reconnect, workers may stop "
        "consuming without an error (celery#8030, celery#8384, kombu#2007).",
        "Upgrade kombu to 5.4 or later, preferably with Celery 5.5.",
    ),
    "fault-broker-restart-crash": Code(
        "workers",
        ("warning",),
        "Celery 5.6.2 and 5.6.3, with kombu before 5.7: a restart of the broker may end a worker "
        "with KeyError(fd) (kombu#2582).",
        "Upgrade Celery and kombu to 5.7.",
    ),
    "fault-half-open-connection": Code(
        "workers",
        ("info",),
        "Celery before 5.7 on Redis, with kombu before 5.7: a worker whose connection was cut "
        "without a notice stops replying to remote control (celery#10502, kombu#2590).",
        "Upgrade Celery and kombu to 5.7.",
    ),
    # Tasks and task types
    "visibility-timeout-short": Code(
        "tasks",
        ("warning",),
        "On Redis, a message is redelivered to another worker although its task still runs "
        "(`acks_late`) or waits for its ETA, because that takes longer than the visibility "
        "timeout.",
        "Set `visibility_timeout` in `broker_transport_options` of all workers and clients to more "
        "than the longest run time and ETA, or use shorter ETAs.",
    ),
    "tasks-expired": Code(
        "tasks",
        ("warning", "info"),
        "In the last ten minutes, workers discarded tasks that had expired before they started. It "
        "is a warning if they are 5 % of all tasks or more (`tasks_expired`).",
        "Add processes or workers where tasks wait, or send tasks with later `expires`.",
    ),
    "task-stuck": Code(
        "task",
        ("warning", "info"),
        "A task has run much longer than any earlier task of its type, or than its time limit, "
        "without progress. If neither ten earlier runs nor a limit are known, it is listed as "
        "`info` after an hour (`task_stuck_unknown`): it may be a long task.",
        "Check the worker's log, or terminate the task.",
    ),
    "type-failing": Code(
        "type",
        ("error", "warning"),
        "In the last five minutes, a much larger part of the tasks of a type failed than before, "
        "in the last hour (`type_failing`). It is an error if most of them failed.",
        "Open the failures of the type: their exception, their workers, and when they began.",
    ),
    "type-unregistered": Code(
        "type",
        ("error",),
        "A task waits in a queue whose consumers do not register it and will discard it, or was "
        "discarded for that reason in the last ten minutes.",
        "Add the task's module to `imports` or `include` of the app, and restart the workers.",
    ),
    "type-misrouted": Code(
        "type",
        ("error",),
        "A task waits in a queue whose consumers do not register it; other workers register it "
        "but do not consume this queue.",
        "Route the task to the queue that the finding names, or add its module to these workers.",
    ),
    "type-slow": Code(
        "type",
        ("warning",),
        "The median or the p95 of the run times of a task type is much longer in the last five "
        "minutes than before, in the last hour (`type_slow`). If less than 15 minutes are known, "
        "their last third is compared with the rest; below five minutes, nothing is. The finding "
        "lasts until the type is fast again, for a day at most.",
        "Compare the slow tasks with earlier ones: arguments, workers and versions.",
    ),
    # Beat
    "beat-dead": Code(
        "beat",
        ("error",),
        "Entries of the schedule were due, and beat has sent no task since.",
        "Start `celery beat`, or check its log if it is running.",
    ),
    "beat-twice": Code(
        "beat",
        ("error",),
        "Entries of the schedule are sent at least twice each time they are due.",
        "Stop one beat: only one may run for a schedule.",
    ),
    "schedule-entry-overdue": Code(
        "schedule",
        ("warning",),
        "An entry of the schedule was due and was not sent, although beat sends others.",
        "Check beat's log for errors of this entry.",
    ),
    "schedule-unknown": Code(
        "schedule",
        ("warning",),
        "The schedule could not be read from one of its sources.",
        "Follow the advice of the finding; it depends on the source.",
    ),
}
"""Every code that a finding can have."""
