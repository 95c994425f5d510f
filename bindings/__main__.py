"""Print the key table, or write it into the documents that are named.

`python -m celtop.bindings README.md` is what `make keys` runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from .key_table import key_table, with_key_table


def main(documents: list[str]) -> None:
    """Bring the key table in each document up to date; without one, print it."""
    for path in map(Path, documents):
        path.write_text(with_key_table(path.read_text("utf-8")), "utf-8")
    if not documents:
        sys.stdout.write(key_table() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
