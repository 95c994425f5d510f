"""The formats that all commands and saving a screen share, read by other people's parsers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from xml.etree import ElementTree

import html5lib
import pytest
from celtop.export.encoding.document import Document
from celtop.export.formats import FORMATS, SUFFIXES, format_of
from celtop.export.lists.document import list_document
from celtop.export.snapshot.document import snapshot_document
from celtop.lists.listing import LISTINGS
from celtop.model.state import ClusterState
from celtop.tests.model.schedules import entry, read
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families

from .conftest import HOSTILE, context, run_task


def documents(state: ClusterState) -> dict[str, Document]:
    """Return every document of a cluster, by its name."""
    state.take_changes()
    shown = context(state)
    made = {"snapshot": snapshot_document(shown)}
    for name, listed in LISTINGS.items():
        rows = listed.rows(shown, "", listed.order_by(shown))
        made[name] = list_document(name, shown, rows)
    return made


def read_text(data: bytes) -> int:
    lines = data.decode().splitlines()
    assert all(line.isprintable() for line in lines)
    return len(lines) - 1


def read_json(data: bytes) -> int:
    document = json.loads(data)
    return max(len(part) for part in document.values() if isinstance(part, list))


def read_ndjson(data: bytes) -> int:
    return len([json.loads(line) for line in data.splitlines()])


def read_csv(data: bytes) -> int:
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))
    assert all(None not in row and None not in row.values() for row in rows)
    return len(rows)


def read_markdown(data: bytes) -> int:
    html: str = MarkdownIt("gfm-like").render(data.decode())
    assert html.count("<table>")
    return html.count("<tr>") - html.count("<thead>")


def read_svg(data: bytes) -> int:
    return len(ElementTree.fromstring(data).findall(".//{http://www.w3.org/2000/svg}text"))


def read_html(data: bytes) -> int:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    page = parser.parse(data.decode())
    assert not page.findall(".//script") and not page.findall(".//a")
    return len(page.findall(".//tbody/tr"))


def read_prometheus(data: bytes) -> int:
    samples = [one for family in text_string_to_metric_families(data.decode())
               for one in family.samples]  # fmt: skip
    assert len({(one.name, *sorted(one.labels.items())) for one in samples}) == len(samples)
    return len(samples)


PARSERS: dict[str, Callable[[bytes], int]] = {
    "text": read_text,
    "json": read_json,
    "ndjson": read_ndjson,
    "csv": read_csv,
    "markdown": read_markdown,
    "svg": read_svg,
    "html": read_html,
    "prometheus": read_prometheus,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_document_is_read_by_another_parser(state: ClusterState, name: str) -> None:
    run_task(state, 1, {"type": "task-succeeded", "result": HOSTILE}, args=HOSTILE)
    run_task(state, 2, {"type": "task-failed", "exception": f"Boom({HOSTILE})", "traceback": "T"})
    read(state, entry(args=(HOSTILE,)))
    for document in documents(state).values():
        data = FORMATS[name].encode(document, 160)
        rows = sum(len(table.rows) for table in document.tables)
        assert rows, document.name
        assert data.endswith(b"\n") or name == "svg"
        found = PARSERS[name](data)
        if name in ("ndjson", "csv", "markdown", "html"):
            assert found == rows, document.name
        elif name == "prometheus":
            assert found, document.name
        elif len(document.tables) == 1 and name in ("text", "json"):
            assert found >= rows, document.name


@pytest.mark.parametrize("name", FORMATS)
def test_documents_without_rows(name: str) -> None:
    for document in documents(ClusterState()).values():
        assert FORMATS[name].encode(document, 80) or name == "ndjson"


def test_formats_are_found_by_their_suffix() -> None:
    assert [format_of(suffix) for suffix in SUFFIXES] == list(FORMATS.values())
    assert format_of(".pdf") is None


def test_lines_of_several_lists_name_theirs(state: ClusterState) -> None:
    run_task(state, 1, {})
    made = documents(state)
    lines = [
        json.loads(line) for line in FORMATS["ndjson"].encode(made["snapshot"], 80).splitlines()
    ]
    assert [line["list"] for line in lines] == ["workers"] * 2 + ["queues"] * 3 + ["tasks"]
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"].encode(made["snapshot"], 80).decode())))
    assert [row["list"] for row in rows] == [line["list"] for line in lines]
    (only,) = FORMATS["ndjson"].encode(made["tasks"], 80).splitlines()
    assert "list" not in json.loads(only)
