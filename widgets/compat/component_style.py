"""The style of a component class, to be laid over another style."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


def component_style(widget: Widget, name: str) -> Style:
    """Return the style of a component class alone, with its colours blended with the background.

    Textual's partial style leaves out the opacity (`$text-muted` comes as plain white), and its
    full one adds the colours of the widget.
    """
    partial = widget.get_component_rich_style(name, partial=True)
    full = widget.get_component_rich_style(name)
    return partial + Style(
        color=full.color if partial.color is not None else None,
        bgcolor=full.bgcolor if partial.bgcolor is not None else None,
    )
