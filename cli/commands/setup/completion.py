"""`celtop completion`: the script with which a shell completes celtop's command lines."""

from __future__ import annotations

import click

from ...options import Command
from ...output.stdout import write

PROGRAM = "celtop"


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes command lines in a SHELL.

    \b
    bash: add this line to ~/.bashrc
      source <(celtop completion bash)
    zsh: add this line to ~/.zshrc, after compinit
      source <(celtop completion zsh)
    fish: run this command once
      celtop completion fish > ~/.config/fish/completions/celtop.fish

    Besides commands and options, task ids, task names, workers, queues and filters are completed.
    They are read from the cluster, for at most a second; the options before them, the environment
    and the config file name the broker.
    """  # noqa: D301 - click reads it
    from ...completion.shells import completion_class
    from ...main import COMPLETE_VARIABLE, celtop

    script = completion_class(shell)(celtop, {}, PROGRAM, COMPLETE_VARIABLE).source()
    write(script.encode())
