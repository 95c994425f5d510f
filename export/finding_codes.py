"""The codes of findings as a Markdown table, and its place in `docs/findings.md`.

`python -m celtop.export.finding_codes docs/findings.md` brings the document up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..document_sections import with_section
from ..model.health.codes import CODES


def code_table() -> str:
    """Return every code with its subject, severities, meaning and remedy, sorted by code."""
    lines = [
        "| Code | Subject | Severity | Meaning | What to do |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, code in sorted(CODES.items()):
        cells = (f"`{name}`", code.kind, ", ".join(code.severities), code.meaning, code.remedy)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_code_table(document: str) -> str:
    """Return a document with the table between its markers brought up to date.

    Raises:
        ValueError: The document has no markers.
    """
    return with_section(document, "codes", code_table())


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_code_table(path.read_text("utf-8")), "utf-8")
