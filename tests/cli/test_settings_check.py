from __future__ import annotations

import pytest
from celtop.cli.exit_codes import InvalidUsage
from celtop.cli.settings_check import SettingsCheck
from celtop.model.entities.changes import Changes
from celtop.model.entities.fault import Fault
from celtop.model.observations import ConnectionChanged
from celtop.model.state import ClusterState
from celtop.tests.model.streams import NOW


def state(kind: str = "") -> ClusterState:
    found = ClusterState()
    fault = Fault(kind, "out of order", "") if kind else None
    found.observe(ConnectionChanged("lost" if kind else "live", NOW, fault, url="x://h"))
    return found


@pytest.mark.parametrize(
    ("kinds", "ends"),
    [
        (("driver",), True), (("url", "transport"), True), (("driver", ""), False),
        (("driver", "refused"), False), (("",), False),
    ],
)  # fmt: skip
def test_it_ends_the_command_if_no_cluster_can_ever_be_monitored(
    kinds: tuple[str, ...], ends: bool
) -> None:
    states = [state(kind) for kind in kinds]
    check = SettingsCheck(*states)
    if not ends:
        check.update(states[0], Changes({}, [], False), NOW)
        return
    with pytest.raises(InvalidUsage, match="Cannot use the broker x://h"):
        check.update(states[0], Changes({}, [], False), NOW)
