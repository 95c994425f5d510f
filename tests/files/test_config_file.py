from __future__ import annotations

import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from celtop.files.config_file import InvalidFile, read, read_tables, write_table

TEXT = '''\
# A comment, and a text with brackets
theme = "[keys]"
queues = [
    "a",
    "b",
]

[keys]
"task.revoke" = "ctrl+x"
move.down = ["j",
             "down"]
[keys.task]  # a nested table
retry = """
=
"""
[broker_transport_options]
sentinel_kwargs = { password = "x" }
'''


def test_each_key_has_the_line_where_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(TEXT)
    values, lines = read(file)
    assert values["keys"]["task"] == {"retry": "=\n"}
    assert lines == {
        "theme": 2,
        "queues": 3,
        "keys": 8,
        "keys.task.revoke": 9,
        "keys.move": 10,
        "keys.move.down": 10,
        "keys.task": 12,
        "keys.task.retry": 13,
        "broker_transport_options": 16,
        "broker_transport_options.sentinel_kwargs": 17,
        "broker_transport_options.sentinel_kwargs.password": 17,
    }


def test_a_value_of_many_lines_is_parsed_in_linear_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    loads = tomllib.loads

    def counted(text: str) -> dict[str, object]:
        parsed.append(text)
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", counted)
    file = tmp_path / "config.toml"
    file.write_text("queues = [\n" + '"q",\n' * 1_000 + "]\nread_only = true\n")
    assert read(file)[1] == {"queues": 1, "read_only": 1_003}
    assert len(parsed) < 10


def test_what_is_not_toml(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("broker_url: redis://h")
    with pytest.raises(ValueError, match="line 1"):
        read(file)


def test_a_device_and_deep_nesting_are_errors(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="more than"):
        read(Path("/dev/zero"))
    file = tmp_path / "config.toml"
    file.write_text("queues = " + "[" * 5_000 + "]" * 5_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        read(file)


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    size: int = 0
    names: tuple[str, ...] = ()


class Needy(msgspec.Struct, forbid_unknown_fields=True):
    needed: bool
    size: int = 0
    names: tuple[str, ...] = ()


def entries(file: Path) -> dict[str, Entry]:
    valid, invalid = read_tables(file, Entry)
    assert not invalid
    return valid


WRITTEN = """\
# Mine
[first]
size = 1   # small

# About the second
[second]
names = [
    "a",
]
"""


def test_one_table_is_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    file = tmp_path / "new" / "tables.toml"
    write_table(file, "first", {"size": 1})
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(WRITTEN)
    write_table(file, "first", {"size": 2, "names": ['say "x"\x7f', "ü\n"]})
    assert file.read_text().startswith("# Mine\n[first]\nsize = 2\nnames = ")
    assert file.read_text().endswith(WRITTEN[WRITTEN.index("\n# About") :])
    assert entries(file)["first"] == Entry(2, ('say "x"\x7f', "ü\n"))
    write_table(file, "ärger 2", {"size": 3})
    assert entries(file)["ärger 2"] == Entry(3)
    for name in ("ärger 2", "first"):
        write_table(file, name, None)
    assert file.read_text() == '# Mine\n\n# About the second\n[second]\nnames = [\n    "a",\n]\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("size = 'x'", "[a], line 2: size: Expected `int`, got `str`"),
        ("names = [1]", "[a], line 2: names: Expected `str`, got `int`"),
        ("\nother = 1", "[a], line 3: other: unknown field"),
        ("", "[a], line 1: needed: missing field"),
    ],
)
def test_an_invalid_table_is_named_with_its_line_and_leaves_the_others_valid(
    tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "tables.toml"
    needed = "" if "missing" in why else "needed = true\n"
    written = f"[a]\n{text}\n{needed}[b]\nneeded = true\n"
    file.write_text(written)
    expected = {"b": Needy(True)}, {"a": f"Invalid {file}, {why}"}
    assert read_tables(file, Needy) == expected
    write_table(file, "c", {"needed": False})
    assert file.read_text() == f"{written}\n[c]\nneeded = false\n"


def test_what_is_no_table_is_invalid(tmp_path: Path) -> None:
    file = tmp_path / "tables.toml"
    file.write_text("'a b' = 1\n")
    why = f'Invalid {file}, ["a b"], line 1: Expected `object`, got `int`'
    assert read_tables(file, Entry) == ({}, {"a b": why})
    file.write_text("[a\n")
    with pytest.raises(InvalidFile, match=r"invalid TOML: .*line 1"):
        read_tables(file, Entry)


def test_names_with_dots_inline_tables_and_odd_line_breaks(tmp_path: Path) -> None:
    file = tmp_path / "tables.toml"
    file.write_text('a = {size = 1}\nb.size = 2\n\n[c]\nsize = 3\n\n["c.size"]\nsize = 4\n')
    write_table(file, "c.size", {"size": 5})
    write_table(file, "a", {"size": 6, "names": ("x\u2028y\x85z",)})
    write_table(file, "b", {"size": 7})
    assert entries(file) == {
        "a": Entry(6, ("x\u2028y\x85z",)),
        "b": Entry(7),
        "c": Entry(3),
        "c.size": Entry(5),
    }
    text = "[a.b]\nx = 1\n[c]\n[a]\ny = 2\n"
    file.write_text(text)
    with pytest.raises(InvalidFile, match="edit the file by hand"):
        write_table(file, "a", {"size": 1})
    assert file.read_text() == text


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles.toml").touch()
    link = tmp_path / "tables.toml"
    link.symlink_to(tmp_path / "dotfiles.toml")
    write_table(link, "a", {"size": 1})
    assert link.is_symlink() and entries(tmp_path / "dotfiles.toml") == {"a": Entry(1)}


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "tables.toml"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: write_table(file, f"t{n}", {"size": n}), range(12)))
    assert len(entries(file)) == 12


def test_a_broken_file_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "tables.toml"
    file.write_text("[a\n")
    with pytest.raises(InvalidFile):
        write_table(file, "b", {"size": 1})
    assert file.read_text() == "[a\n"
