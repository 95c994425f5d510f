"""The documents: every file, name, command and setting that they mention exists."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest
from celtop.bindings.actions import ACTIONS
from celtop.bindings.keymap import Keymap
from celtop.cli.commands.operations.control import control
from celtop.cli.main import celtop
from celtop.model.entities.limits.thresholds import Thresholds
from celtop.settings import Settings, load_settings
from celtop.tui.commands.table import COMMANDS

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
SUFFIXES = (".py", ".tcss", ".md", ".toml", ".svg")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def code_blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def code_spans(text: str) -> list[str]:
    """Return the inline code outside of fenced blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def definitions(path: Path) -> set[str]:
    """Return the names that a module defines, with attributes as `Class.name`."""
    found: set[str] = set()

    def collect(body: list[ast.stmt], prefix: str) -> None:
        for statement in body:
            if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(prefix + statement.name)
            if isinstance(statement, ast.ClassDef):
                collect(statement.body, f"{prefix}{statement.name}.")
            targets: list[ast.expr] = []
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.AnnAssign):
                targets = [statement.target]
            found.update(prefix + each.id for each in targets if isinstance(each, ast.Name))

    collect(ast.parse(path.read_text("utf-8")).body, "")
    return found


@each_document
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8"))
    assert [
        link for link in links if "://" not in link and not (document.parent / link).exists()
    ] == []


@each_document
def test_every_file_and_folder_that_is_mentioned_exists(document: Path) -> None:
    for span in code_spans(document.read_text("utf-8")):
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", span) and (
            (span.endswith(SUFFIXES) and "/" in span) or span.endswith("/")
        ):
            assert (ROOT / span).exists(), span


def test_the_architecture_names_every_folder() -> None:
    named = set(code_spans((ROOT / "docs" / "architecture.md").read_text("utf-8")))
    folders = {path.parent for path in sources() if path.name == "__init__.py"} - {ROOT}
    names = {f"{folder.relative_to(ROOT).as_posix()}/" for folder in folders}
    inner = ("tests/", "benchmarks/")
    assert {name for name in names - named if not name.startswith(inner)} == set()


@each_document
def test_every_name_that_is_mentioned_with_its_file_is_defined_there(document: Path) -> None:
    """`name` (`path/file.py`) and `path/file.py`: `name` are the two forms."""
    text = document.read_text("utf-8")
    name, path = r"`([A-Za-z_][\w.]*)(?:\(\))?`", r"`([\w/]+\.py)`"
    pairs = [(found[1], found[0]) for found in re.findall(rf"{name}\s+\({path}", text)]
    pairs += re.findall(rf"{path}:\s+{name}", text)
    for file, defined in pairs:
        assert defined in definitions(ROOT / file), f"{defined} in {file}"


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_name_that_is_mentioned_is_defined_somewhere(name: str) -> None:
    known = {each.rpartition(".")[2] for path in sources() for each in definitions(path)}
    spans = code_spans((ROOT / name).read_text("utf-8"))
    names = {span for span in spans if re.fullmatch(r"_?[A-Za-z]\w*[A-Z_]\w*", span)}
    assert names - known == set()


def sources() -> list[Path]:
    """Return the modules of the product."""
    folders = [path.parent for path in ROOT.glob("*/__init__.py")]
    return [*ROOT.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]


@each_document
def test_every_import_in_an_example_works(document: Path) -> None:
    for block in code_blocks(document.read_text("utf-8"), "python"):
        for line in re.findall(r"^(?:from celtop|import celtop).*$", block, re.M):
            exec(line, {})


@each_document
def test_every_command_that_is_mentioned_is_understood(document: Path) -> None:
    for words in commands(document.read_text("utf-8")):
        check_options(celtop, words)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("celtop-collect.service", r"^ExecStart=\S+/celtop (.*)$"),
        ("Dockerfile", r"^CMD \[(.*)\]$"),
        ("kubernetes.yaml", r"args: \[(.*)\]"),
    ],
)
def test_the_command_of_each_deployment_is_understood(name: str, pattern: str) -> None:
    text = (ROOT / "docs" / "deploy" / name).read_text("utf-8")
    (line,) = re.findall(pattern, text, re.M)
    words = shlex.split(line.replace(",", " "))
    assert words[0] == "collect"
    check_options(celtop, words)


@each_document
def test_every_typed_command_that_is_mentioned_exists(document: Path) -> None:
    typed = {
        span[1:].split()[0]
        for span in code_spans(document.read_text("utf-8"))
        if re.match(r":\w", span)
    }
    assert typed - {command.name for command in COMMANDS} == set()


@each_document
def test_every_make_target_that_is_mentioned_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)", "\n".join(code(document)))) - targets == set()


def code(document: Path) -> list[str]:
    """Return all code in a document, inline and in blocks."""
    text = document.read_text("utf-8")
    return [*code_spans(text), *code_blocks(text, "console")]


def commands(text: str) -> Iterator[list[str]]:
    """Yield the arguments of each celtop command line in a document."""
    blocks = code_blocks(text, "console")
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in (*lines, *code_spans(text)):
        for part in re.split(r"\s*\\?\|\s+|;", line.removeprefix("$ ")):
            if re.match(r"celtop( |$)", part):
                yield shlex.split(part, comments=True)[1:]


def check_options(command: click.Command, words: list[str]) -> None:
    """Check that a command has the subcommands and the options of a command line."""
    known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    options = [param for param in command.params if isinstance(param, click.Option)]
    with_value = {name for one in options if not one.is_flag for name in one.opts}
    for position, word in enumerate(words):
        if isinstance(command, click.Group) and not word.startswith("-"):
            if word.isupper() or words[position - 1] in with_value:
                continue
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"no command {word!r} in {words}"
            return check_options(found, words[position + 1 :])
        if re.fullmatch(r"--?[a-z][a-z-]*", word):
            assert word in {*known, "--help", "-h", "--version"}, f"no option {word!r} in {words}"


@each_document
def test_every_configuration_is_accepted(document: Path, tmp_path: Path) -> None:
    for block in code_blocks(document.read_text("utf-8"), "toml"):
        if "project" in tomllib.loads(block):
            continue
        path = tmp_path / "config.toml"
        path.write_text(block, "utf-8")
        settings = load_settings(environ={}, config_file=path)
        Keymap().remapped(settings.keys)


def test_every_operation_is_described() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    missing = [name for name in control.commands if f"`celtop control {name}" not in text]
    missing += [each.id for each in ACTIONS if each.mutates and f"`{each.keys[0]}`" not in text]
    assert missing == []


def test_the_limits_of_findings_have_their_defaults() -> None:
    section = (ROOT / "docs" / "findings.md").read_text("utf-8").partition("## Limits")[2]
    rows = re.findall(r"^\| (`.*?`) \| (`.*?`) \|", section.partition("## Codes")[0], re.M)
    listed = {
        name: float(default)
        for names, defaults in rows
        for name, default in zip(code_spans(names), code_spans(defaults), strict=True)
    }
    assert listed == msgspec.structs.asdict(Thresholds())


def test_the_table_of_settings_names_settings() -> None:
    document = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    text = document.partition("| setting |")[2].partition("\n\n")[0]
    names = {name for row in text.splitlines()[2:] for name in code_spans(row.split("|")[1])}
    assert names - set(Settings.model_fields) == set()
