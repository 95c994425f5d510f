"""A component class as a style to lay over another one."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


def component_style(widget: Widget, name: str) -> Style:
    """Return what a component class says and nothing else, its colours mixed with what is behind.

    Textual's partial style leaves out the opacity (`$text-muted` comes as plain white), and its
    full one adds the colours of the widget.
    """
    partial = widget.get_component_rich_style(name, partial=True)
    full = widget.get_component_rich_style(name)
    return partial + Style(
        color=full.color if partial.color is not None else None,
        bgcolor=full.bgcolor if partial.bgcolor is not None else None,
    )
