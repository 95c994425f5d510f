"""Another Celery cluster on the same broker."""

from __future__ import annotations

import msgspec


class OtherCluster(msgspec.Struct, frozen=True, gc=False):
    """Traces of Celery under another database, key prefix or channel than the configured one."""

    trace: str
    """The evidence: a channel with events, or keys with bindings."""
    remedy: str
    """The change that is needed to see this cluster, in the imperative."""
    same_database: bool = False
    """Whether it is in the configured database."""
    workers: tuple[str, ...] = ()
    """Names of workers whose heartbeats were seen, sorted; there may be more."""
