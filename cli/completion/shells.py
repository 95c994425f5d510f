"""The completion scripts of shells; click's own but for bash."""

from __future__ import annotations

import os
import re
from typing import Any, Final

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

_SAFE: Final = {
    "": re.compile(r"[\w@%+=:,./^-]+"),
    "'": re.compile(r"[^']*"),
    '"': re.compile(r'[^"$`\\!]*'),
}
"""Values that bash takes as they are, by the quotes that they are in.

In the others, it would replace or even run a part.
"""

BASH_SCRIPT: Final = """\
%(complete_func)s() {
    local IFS=$'\\n' response type value
    response=$(env COMP_LINE="${COMP_LINE:0:$COMP_POINT}" COMP_CUR="$2" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    while IFS=',' read -r type value; do
        if [[ $type == dir ]]; then
            compopt -o dirnames
        elif [[ $type == file ]]; then
            compopt -o default
        elif [[ $type == plain ]]; then
            COMPREPLY+=("$value")
            [[ $value == *[:=] ]] && compopt -o nospace
        fi
    done <<< "$response"
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class CeltopBashComplete(BashComplete):
    """Completion in bash, also of words with `:`, `=` and `@`, at which bash divides them."""

    source_template = BASH_SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one at it."""
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)[1:]
        if not line or (line[-1].isspace() and not _open_quote(line)):
            return words, ""
        return words[:-1], words[-1] if words else ""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """Return the completions of the part of the word that bash replaces."""
        current = os.environ.get("COMP_CUR", "")
        name, equals, value = incomplete.partition("=")
        word = value if equals and name.startswith("-") else incomplete
        kept = len(word) - len(current) if word.endswith(current) else 0
        safe = _SAFE[_open_quote(os.environ.get("COMP_LINE", ""))]
        found = super().get_completions(args, incomplete)
        for item in found:
            if item.type == "plain" and item.value.startswith(word[:kept]):
                item.value = item.value[kept:]
        # Bash could only insert the first backslash of several values that need one.
        return [item for item in found if safe.fullmatch(item.value or "-")]


def _open_quote(line: str) -> str:
    """Return the quote that a line ends in; empty if it ends in none."""
    quote = ""
    escaped = False
    for character in line:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
    return quote


def completion_class(shell: str) -> type[ShellComplete]:
    """Return the completion of a shell: `bash`, `zsh` or `fish`."""
    add_completion_class(CeltopBashComplete)
    found = get_completion_class(shell)
    assert found is not None, shell
    return found


def prepare() -> None:
    """Prepare to answer a shell: no error is ever printed into the line that is being typed."""
    add_completion_class(CeltopBashComplete)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
