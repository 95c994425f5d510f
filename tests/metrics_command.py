"""`celtop metrics` as a process for tests."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from celtop.tests.cli.conftest import CELTOP
from celtop.tests.servers import Child, clean_environment, until
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


class MetricsCommand:
    """The command on a free port, once it listens."""

    def __init__(self, broker_url: str, folder: Path, *flags: str) -> None:
        command = (*CELTOP, "-b", broker_url, "metrics", "--listen", "127.0.0.1:0", *flags)
        self.child = Child(command, folder / "metrics.log", clean_environment())
        until(lambda: "/metrics" in self.child.output or not self.child.alive, what="it listens")
        assert self.child.alive, self.child.output
        self.address = self.child.output.partition("http://")[2].partition("/metrics")[0]

    def samples(self) -> list[Sample]:
        """Return what is scraped now."""
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10) as reply:
            parse: Any = text_string_to_metric_families
            families = list(parse(reply.read().decode()))
        return [sample for family in families for sample in family.samples]

    def sums(self) -> Mapping[str, float]:
        """Return the sums of the samples by name, those of `celtop_tasks_total` by event."""
        sums: defaultdict[str, float] = defaultdict(float)
        for sample in self.samples():
            sums[sample.labels.get("event", sample.name)] += sample.value
        return sums

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return the status and the document of `/health`."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/health", timeout=10) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
