"""The journal of studies: Optuna's, with errors that say which line or file is at fault."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

from optuna.storages.journal import JournalFileBackend

from learnsym.files import checked, writing
from learnsym.workers.journal import JournalLock


class JournalFile(JournalFileBackend):
    """The file that studies are kept in.

    Args:
        path: of the file.

    Raises:
        ValueError: when a line is no entry; nothing is changed.
        OSError: when the disk is full; the file holds whole lines, and the last entry can be given again.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), cast(Any, JournalLock(path)))
        self.path = path
        self.check()

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """The entries from a number on."""
        try:
            for entry in super().read_logs(log_number_from):
                yield checked(entry, {"op_code": int})
        except ValueError as error:
            self.check()
            raise ValueError(f"storage: {self.path} cannot be read ({error}); name another file") from error

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add entries."""
        with writing(self.path):
            super().append_logs(logs)

    def check(self) -> None:
        """Refuse a file with a line that is no entry: what is added behind it could not be read."""
        with open(self.path, "rb") as file:
            line = next((number for number, text in enumerate(file, 1) if _is_bad(text)), None)
        if line is not None:
            raise ValueError(
                f"storage: line {line} of {self.path} is no entry of a journal of studies; nothing is changed: restore "
                f"the line from a copy of the file, or go on with a copy of the {line - 1} lines before it"
            )


def _is_bad(line: bytes) -> bool:
    if not line.endswith(b"\n"):  # a torn last line, which is cut off
        return False
    try:
        checked(json.loads(line), {"op_code": int})
    except (ValueError, RecursionError):
        return True
    return False
