"""The audit file: all operations of this user as JSON lines, schema `celtop.act/1`.

Each operation has two lines, one before anything is sent and one when it has ended, so that it is
in the file even if celtop is killed. A line is one write to a file opened for appending: several
processes share it without a lock.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import stat
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from ...files.files import OWNER_ONLY, state_folder
from ...model.operations import commands as commands
from ...model.operations.call import Call, SentTask
from ...model.operations.commands import Operation
from ...model.operations.outcome import Answer, Outcome

SCHEMA: Final = "celtop.act/1"
FILE_NAME: Final = "audit.jsonl"
"""The name of the default file in the state folder."""
MAX_ARGUMENTS_LENGTH: Final = 2_000
"""Characters of the args, kwargs and headers of a task, and of a reply, that are written."""
Phase: TypeAlias = Literal["begun", "ended", "left"]
"""`left`: celtop exited before the operation ended; its outcome is unknown."""


def audit_file(setting: str | None) -> Path | None:
    """Return the file that the setting `audit_file` names; None for no file."""
    if setting is None:
        return state_folder() / FILE_NAME
    return Path(setting).expanduser() if setting else None


class Audit:
    """Appends operations to a file.

    Args:
        path: The file; None disables it.
        cluster: Returns the broker's URL, without its password.
    """

    def __init__(
        self,
        path: Path | None,
        cluster: Callable[[], str],
        redact: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self.path = path
        self._remarks: dict[str, bool] = {}
        """The problem with the file, and whether it has been taken."""
        self._cluster = cluster
        self._redact = redact

    def write(self, phase: Phase, outcome: Outcome, at: float) -> str | None:
        """Append a line; return None, or why it could not be written.

        Another user must not be able to read the file: it holds the arguments of tasks. What was
        wrong with it is returned by `take_remarks`.
        """
        if self.path is None:
            return None
        try:
            # Non-ASCII text is escaped: people read the file with `cat` and `tail`.
            line = json.dumps(_plain(self._record(phase, outcome, at)), separators=(",", ":"))
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._append(self.path, f"{line}\n".encode())
        except OSError as error:
            return f"{self.path}: {error.strerror or error}"
        except (TypeError, ValueError, RecursionError) as error:
            return f"{self.path}: {error}"
        return None

    def _append(self, path: Path, line: bytes) -> None:
        # Opening a named pipe without a reader would wait for one.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        handle = os.open(path, flags, OWNER_ONLY)
        try:
            self._secure(path, handle)
            written = os.write(handle, line)
            if written < len(line):
                # A full disk takes the first half: the next line must not be appended to it.
                os.write(handle, b"\n")
                raise OSError(None, f"only {written} of {len(line)} bytes could be written")
        finally:
            os.close(handle)

    def _secure(self, path: Path, handle: int) -> None:
        """Make the file readable by its owner only.

        Raises:
            OSError: It is not a regular file, or belongs to another user.
        """
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(None, "it is not a regular file")
        if path.is_symlink():
            self._remarks.setdefault(f"{path} is a symbolic link to {path.resolve()}", False)
        if found.st_mode & 0o077:
            try:
                os.fchmod(handle, OWNER_ONLY)
            except PermissionError:
                raise OSError(None, "other users can read it, and another user owns it") from None
            text = f"{path} was open to other users; now only its owner can read it"
            self._remarks.setdefault(text, False)

    def take_remarks(self) -> list[str]:
        """Return what was wrong with the file since the last call; each remark only once."""
        remarks = [text for text, taken in self._remarks.items() if not taken]
        self._remarks.update(dict.fromkeys(remarks, True))
        return remarks

    def _record(self, phase: Phase, outcome: Outcome, at: float) -> dict[str, Any]:
        record: dict[str, Any] = {
            "schema": SCHEMA,
            "phase": phase,
            "at": _utc(at),
            "user": user_name(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "cluster": self._cluster(),
            "act": f"{os.getpid()}-{outcome.began_at:.3f}-{outcome.number}",
            "command": type(outcome.operation).__name__,
            "options": self._options(outcome.operation),
        }
        if phase != "begun":
            record["outcome"] = _outcome(outcome)
        return record

    def _options(self, command: Operation) -> dict[str, Any]:
        options = {name: getattr(command, name) for name in command.__struct_fields__}
        if isinstance(command, commands.Retry):
            options["originals"] = [self._original(one) for one in command.originals]
        if isinstance(command, commands.Trigger):
            options["calls"] = [self._call(one) for one in command.calls]
        return options

    def _original(self, original: SentTask) -> dict[str, Any]:
        known = {
            "id": original.id,
            "source": original.source,
            "missing": original.missing,
            **self._call(original.call),
        }
        if not original.readable:
            known |= {"args": None, "kwargs": None}
        return known

    def _call(self, call: Call) -> dict[str, Any]:
        fields = {name: getattr(call, name) for name in call.__struct_fields__}
        for name in ("args", "kwargs", "headers"):
            fields[name] = _cut(self._redact(_plain(fields[name])))
        return {name: value for name, value in fields.items() if value not in (None, {}, ())}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "good": outcome.good,
        "refusal": outcome.refusal,
        "fault": str(outcome.fault) if outcome.fault else None,
        "workers": {name: _answer(one) for name, one in outcome.workers.items()},
        "targets": _targets(outcome.targets),
        "sent": [
            {"id": one.id, "name": one.name, "queue": one.queue, "retry_of": one.retry_of}
            for one in outcome.sent
        ],
        "count": outcome.count,
        "stage": outcome.stage or None,
        "began_at": _utc(outcome.began_at),
        "ended_at": None if outcome.ended_at is None else _utc(outcome.ended_at),
    }


def _targets(targets: Mapping[str, Answer]) -> dict[str, Any]:
    """Return the targets by verdict; a reason is written once for all that share it."""
    by_answer: dict[tuple[str, str], list[str]] = {}
    for name, answer in targets.items():
        by_answer.setdefault((answer.verdict, answer.text), []).append(name)
    return {
        "counts": dict(Counter(answer.verdict for answer in targets.values())),
        "verdicts": [
            {"verdict": verdict, **({"text": text} if text else {}), "ids": ids}
            for (verdict, text), ids in by_answer.items()
        ],
    }


def _answer(answer: Answer) -> dict[str, str]:
    text = answer.text[:MAX_ARGUMENTS_LENGTH]
    return {"verdict": answer.verdict, **({"text": text} if text else {})}


def _plain(value: Any) -> Any:
    """Return a value as JSON types; a value of another type becomes its repr."""
    if value is None or isinstance(value, str | bool | int):
        # A lone surrogate is valid in Python and cannot be encoded.
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, Mapping):
        return {str(_plain(str(key))): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    return repr(value)


def _cut(value: Any) -> Any:
    """Return a value, or the beginning of its JSON as text if it is long."""
    text = json.dumps(value)
    return value if len(text) <= MAX_ARGUMENTS_LENGTH else f"{text[:MAX_ARGUMENTS_LENGTH]}..."


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_name() -> str:
    """Return the name of the user, or its number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the user id may have no name
        return str(os.getuid())
