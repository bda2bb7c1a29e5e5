"""Writing to a journal file: one process at a time, whole lines only."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from learnsym.workers.folder_locks import FolderLocks


class JournalLock:
    """The lock that Optuna's `JournalFileBackend` writes under.

    Optuna's own locks are files that outlive a killed process, and whoever finds one waits for half a minute. This one
    ends with its process. A line that a full disk has torn is cut off before and after each turn, for another line
    appended to it would make the journal unreadable.

    Args:
        path: the journal file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._locks = FolderLocks(path.parent, path.name)
        self._turn = ExitStack()

    def acquire(self) -> bool:
        """Wait for the turn."""
        turn = ExitStack()
        turn.enter_context(self._locks.waiting("append"))
        self._turn = turn
        self._mend()
        return True

    def release(self) -> None:
        """End the turn."""
        with self._turn:
            self._mend()

    def _mend(self) -> None:
        with open(self.path, "rb+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            if file.read(1) in (b"", b"\n"):
                return
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
