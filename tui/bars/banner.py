"""Why there is nothing to see: the broker's fault in words, and when it is tried again."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from ...model.text import units
from ...model.text.sanitize import visible
from ..context import AppContext

_LONGEST = 300


class Banner(Static):
    """A few lines below the header, there only while the broker is not reached."""

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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._said: tuple[str, ...] = ()

    def paint(self, context: AppContext) -> None:
        """Show what is wrong, or nothing."""
        broker = context.state.broker
        said: tuple[str, ...] = ()
        if broker.phase != "live" and broker.fault is not None:
            said = (
                visible(broker.fault.problem, _LONGEST),
                visible(broker.fault.advice, _LONGEST),
                self._next_try(context),
            )
        elif broker.phase != "live" and broker.since is not None:
            said = (f"Connecting to {visible(broker.url or 'the broker', _LONGEST)}", "", "")
        if said == self._said:
            return
        self._said = said
        self.set_class(bool(said), "-shown")
        self.set_class(broker.fault is None, "-connecting")
        if said:
            problem, advice, next_try = said
            style = "bold $text-error" if broker.fault is not None else "bold $text-warning"
            parts: list[Content | str] = [Content.styled(problem, style)]
            parts += [f"  {advice}"] if advice else []
            parts += [Content.styled(f"  {next_try}", "$text-muted")] if next_try else []
            self.update(Content.assemble(*parts))

    def _next_try(self, context: AppContext) -> str:
        retry_at = context.state.broker.retry_at
        if retry_at is None:
            return ""
        left = retry_at - context.now()
        if left <= 0.5:
            return "Trying now."
        key = context.keymap.key("refresh")
        now = f", or now with {key}" if key else ""
        return f"Next try in {units.duration(max(1, round(left)))}{now}."
