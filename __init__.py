"""celtop: a terminal monitor for Celery.

The names below are the library; `docs/library.md` shows how to use them. They are imported when
they are first used (PEP 562): `import celtop` alone loads neither kombu nor pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cluster.session import Session
    from .export.snapshot.snapshot import take_snapshot
    from .model.query.language import Query, parse_query
    from .model.state import ClusterState
    from .settings import Settings, load_settings

__version__ = "0.1.0"

__all__ = [
    "ClusterState",
    "Query",
    "Session",
    "Settings",
    "__version__",
    "load_settings",
    "parse_query",
    "take_snapshot",
]

_MODULES = {
    "ClusterState": ".model.state",
    "Query": ".model.query.language",
    "Session": ".cluster.session",
    "Settings": ".settings",
    "load_settings": ".settings",
    "parse_query": ".model.query.language",
    "take_snapshot": ".export.snapshot.snapshot",
}


def __getattr__(name: str) -> Any:
    """Import a public name from the module that defines it.

    Raises:
        AttributeError: celtop has no such name.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name], __name__), name)
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
