"""What is shipped: every package and style file, and nothing in the global namespace but celtop."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = (
    *("alerts", "bindings", "cli", "cluster", "collector", "demo", "export", "files", "history"),
    *("lists", "metrics", "model", "recording", "settings", "tui", "widgets"),
)


def shipped_sources() -> list[Path]:
    """Return the files that belong in the wheel, relative to the root."""
    modules = [path for layer in LAYERS for path in (ROOT / layer).rglob("*.py")]
    styles = [path for layer in LAYERS for path in (ROOT / layer).rglob("*.tcss")]
    top = [*ROOT.glob("*.py"), ROOT / "py.typed"]
    return [path.relative_to(ROOT) for path in (*modules, *styles, *top)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that the tree stays clean."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    out = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)],
        cwd=source,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    [path] = out.glob("*.whl")
    return path


def test_the_wheel_holds_every_package_and_style(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {f"celtop/{path.as_posix()}" for path in shipped_sources()}
    assert "celtop/py.typed" in expected
    assert any(name.endswith(".tcss") for name in expected)
    assert expected - names == set()


def test_the_wheel_puts_only_celtop_into_the_global_namespace(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    # `.data` is the manual page.
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {"celtop"}


def test_tests_and_benchmarks_are_not_shipped(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [n for n in names if n.startswith(("celtop/tests", "celtop/benchmarks"))] == []


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_found_as_ours_and_not_by_its_bare_name(
    wheel: Path, tmp_path: Path, layer: str
) -> None:
    """The monitored application may well have a `widgets` of its own."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    program = (
        "import importlib.util, sys\n"
        f"sys.path.insert(0, {str(site)!r})\n"
        f"assert importlib.util.find_spec({layer!r}) is None\n"
        f"found = importlib.util.find_spec('celtop.{layer}')\n"
        f"assert found is not None and found.origin.startswith({str(site)!r}), found\n"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
