"""Why a task or queue does not move: answers for the screen and for `celtop why`."""
