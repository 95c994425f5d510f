"""Why there is no connection to the broker, what to do, and when celtop retries."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from ...model.text import units
from ...model.text.sanitize import visible
from ..context import AppContext

_MAX_TEXT = 300
"""Characters of each part."""


class Banner(Static):
    """A line below the header, shown only while the broker is not connected."""

    ALLOW_SELECT = True
    DEFAULT_CSS = """
    Banner {
        display: none;
        height: auto;
        padding: 0 1;
        background: $error 20%;
        color: $foreground;
        &.-shown { display: block; }
        &.-connecting { background: $warning 15%; }
    }
    """

    _shown: tuple[str, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether there is something to show."""
        return bool(self._shown)

    def paint(self, context: AppContext) -> None:
        """Show the fault, or hide the banner."""
        broker = context.live.broker
        shown: tuple[str, ...] = ()
        if broker.phase != "live" and broker.fault is not None:
            shown = (
                visible(broker.fault.problem, _MAX_TEXT),
                visible(broker.fault.advice, _MAX_TEXT),
                self._retry_text(context),
            )
        elif not broker.is_connected and broker.since is not None:
            shown = (f"Connecting to {visible(broker.url or 'the broker', _MAX_TEXT)}", "", "")
        if shown == self._shown:
            return
        self._shown = shown
        self.set_class(bool(shown), "-shown")
        self.set_class(broker.fault is None, "-connecting")
        if shown:
            problem, advice, retry = shown
            style = "bold $text-error" if broker.fault is not None else "bold $text-warning"
            parts: list[Content | str] = [Content.styled(problem, style)]
            parts += [f". {advice}"] if advice else []
            parts += [Content.styled(f". {retry}", "$text-muted")] if retry else []
            self.update(Content.assemble(*parts))

    def _retry_text(self, context: AppContext) -> str:
        retry_at = context.live.broker.retry_at
        if retry_at is None:
            return ""
        left = retry_at - context.clock()
        if left <= 0.5:
            return "Retrying now."
        key = context.keymap.key("refresh")
        now = f"; {key} retries now" if key else ""
        return f"Retrying in {units.duration(max(1, round(left)))}{now}."
