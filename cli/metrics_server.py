"""The metrics server of commands that run until they are stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from .exit_codes import InvalidUsage
from .output import stderr

if TYPE_CHECKING:
    from ..collector.loop import CollectorLoop
    from ..metrics.server import Address
    from ..model.state import ClusterState

DEFAULT_ADDRESS: Final = "127.0.0.1:9808"
LISTEN: Final = "--listen"


def require_prometheus_client() -> None:
    """Check that metrics can be written.

    Raises:
        InvalidUsage: The package is not installed.
    """
    try:
        import prometheus_client  # noqa: F401
    except ImportError:
        raise InvalidUsage(
            "Cannot write metrics: the package prometheus_client is missing."
            " Install it with: pip install 'celtop[metrics]'"
        ) from None


def read_listen(text: str) -> Address:
    """Return the address of `--listen`.

    Raises:
        InvalidUsage: It is not an address, or prometheus_client is missing.
    """
    require_prometheus_client()
    from ..metrics.server import read_address

    try:
        return read_address(text)
    except ValueError as error:
        raise InvalidUsage(f"Invalid {LISTEN}: {error}") from error


@contextlib.contextmanager
def metrics_served(
    address: Address,
    loop: CollectorLoop,
    states: Mapping[str, ClusterState],
    *,
    labelled: bool = False,
) -> Iterator[None]:
    """Serve `/metrics` and `/health` of clusters within the block, in which the loop is to run.

    Args:
        address: Where to listen.
        loop: The loop that keeps the models up to date.
        states: The models by the names of their clusters.
        labelled: Whether the metrics have the label `cluster`.

    Raises:
        InvalidUsage: The address cannot be listened on, or prometheus_client is missing.
    """
    require_prometheus_client()
    from ..collector.pages import ClusterPages
    from ..metrics.server import MetricsServer

    try:
        server = MetricsServer(address, ClusterPages(loop, states, labelled=labelled))
    except OSError as error:
        raise InvalidUsage(
            f"Cannot listen on {address}: {error.strerror or error}."
            f" Choose another address with {LISTEN}"
        ) from error
    server.start()
    try:
        stderr.echo(f"Serving metrics on http://{server.address}/metrics")
        yield
    finally:
        server.stop()
