"""The screen of each location.

Screens are imported when they are first shown: the first frame must not wait for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..navigation import Location

if TYPE_CHECKING:
    from ..context import AppContext
    from ..screens.base.screen import MonitorScreen


def root(view: str, context: AppContext) -> MonitorScreen:
    """Return a new screen for a numbered view."""
    location = Location(view)
    if view == "overview":
        from ..screens.overview import OverviewScreen

        return OverviewScreen(context, location)
    if view in ("tasks", "scheduled"):
        from ..screens.scheduled import ScheduledScreen
        from ..screens.tasks import TaskListScreen

        return (TaskListScreen if view == "tasks" else ScheduledScreen)(context, location)
    from ..screens.clusters import ClustersScreen
    from ..screens.findings import FindingsScreen
    from ..screens.log import LogScreen
    from ..screens.queues import QueuesScreen
    from ..screens.schedule import ScheduleScreen
    from ..screens.task_types import TypesScreen
    from ..screens.workers import WorkersScreen

    screens: dict[str, type[MonitorScreen]] = {
        "workers": WorkersScreen,
        "queues": QueuesScreen,
        "types": TypesScreen,
        "log": LogScreen,
        "findings": FindingsScreen,
        "schedule": ScheduleScreen,
        "clusters": ClustersScreen,
    }
    return screens[view](context, location)


def deep(location: Location, context: AppContext) -> MonitorScreen:
    """Return a new screen for the last step of a location."""
    step = location.path[-1]
    if step.kind == "task":
        from ..pages.task import TaskDetailScreen

        return TaskDetailScreen(context, location)
    if step.kind == "workflow":
        from ..pages.workflow import WorkflowScreen

        return WorkflowScreen(context, location)
    if step.kind == "worker":
        from ..pages.worker import WorkerDetailScreen

        return WorkerDetailScreen(context, location)
    if step.kind == "queue":
        from ..pages.queue import QueueScreen

        return QueueScreen(context, location)
    if step.kind == "type":
        from ..pages.task_type import TypeScreen

        return TypeScreen(context, location)
    if step.kind == "compare":
        from ..pages.compare import CompareScreen

        return CompareScreen(context, location)
    if step.kind == "failures":
        from ..pages.failures import FailuresScreen

        return FailuresScreen(context, location)
    if step.kind == "messages":
        from ..pages.messages import MessagesScreen

        return MessagesScreen(context, location)
    if step.kind == "charts":
        from ..pages.charts import ChartsScreen

        return ChartsScreen(context, location)
    from ..screens.tasks import TaskListScreen

    return TaskListScreen(context, location)
