"""What keys and commands open is imported in the background."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from celtop.tui.app import preloading


async def test_all_screens_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    monkeypatch.setattr(preloading, "DELAY", 0.0)
    monkeypatch.setattr(preloading, "PAUSE", 0.0)
    monkeypatch.setattr(preloading, "import_module", imported.append)
    await preloading.preload()
    own = {name.removeprefix("celtop.tui.") for name in imported}
    assert {"screens.queues", "pages.task", "pages.charts", "dialogs.forms.send"} <= own
    assert {"operations.menu", "commands.palette", "output.save"} <= own
    assert all(find_spec(name) for name in imported)
