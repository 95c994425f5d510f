from __future__ import annotations

import threading

from celtop.collector.loop import Collected, CollectorLoop
from celtop.collector.pages import ClusterPages
from celtop.metrics.exposition import Exposition
from celtop.metrics.health import Health
from celtop.model.observations import ConnectionChanged
from celtop.tests.collector.test_loop import PreparedSource, received
from celtop.tests.model.streams import NOW


def test_the_pages_of_two_clusters() -> None:
    sources = {
        "shop": PreparedSource(ConnectionChanged("live", NOW), received("a"), received("b")),
        "mail": PreparedSource(received("c")),
    }
    loop = CollectorLoop([Collected(source, ()) for source in sources.values()])
    states = {name: source.state for name, source in sources.items()}
    pages = ClusterPages(loop, states, labelled=True)
    got: list[tuple[Exposition, Health]] = []

    def read() -> None:
        while (
            'celtop_events_total{cluster="shop"} 2' not in (page := pages.metrics("")).body.decode()
        ):
            pass
        got.append((page, pages.health()))
        loop.stop()

    reading = threading.Thread(target=read)
    reading.start()
    loop.run()
    reading.join()
    ((page, health),) = got
    assert 'celtop_events_total{cluster="mail"} 1.0' in page.body.decode()
    assert "celtop_info{version=" in page.body.decode()
    assert health.status == "failed"
    assert health.reason == "mail: the broker is connecting"
