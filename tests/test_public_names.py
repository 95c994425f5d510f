"""The names that `import celtop` offers to users of the library."""

from __future__ import annotations

import json
import subprocess
import sys

import celtop
import pytest
from celtop.cluster.session import Session

HEAVY = ("celery", "kombu", "msgspec", "pydantic", "redis", "rich", "textual")
LOADED = f"""
import json, sys
import celtop
celtop.__version__
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def test_importing_celtop_loads_no_heavy_library() -> None:
    printed = subprocess.run(
        (sys.executable, "-c", LOADED), capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(printed) == []


@pytest.mark.parametrize("name", celtop.__all__)
def test_each_public_name_is_listed_and_can_be_imported(name: str) -> None:
    assert name in dir(celtop)
    assert getattr(celtop, name)


def test_a_public_name_is_the_one_of_its_module() -> None:
    assert celtop.Session is Session


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'celtop' has no attribute 'Monitor'"):
        celtop.Monitor  # noqa: B018
