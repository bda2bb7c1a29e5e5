"""Locks: named mutual exclusion of processes, which ends with the process that holds it."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, runtime_checkable

from learnsym.workers.database import is_database
from learnsym.workers.database_locks import DatabaseLocks
from learnsym.workers.folder_locks import FolderLocks

__all__ = ["DatabaseLocks", "FolderLocks", "Locks", "journal_path", "locks_for"]


@runtime_checkable
class Locks(Protocol):
    """Named mutual exclusion between threads and processes; a lock ends with its process at the latest."""

    def held(self, name: str) -> AbstractContextManager[bool]:
        """Try once, and hold the lock in the block; False when another has it."""
        ...

    def waiting(self, name: str) -> AbstractContextManager[None]:
        """Wait for the lock, and hold it in the block."""
        ...

    def holds(self, name: str) -> bool:
        """Whether this process has the lock, also after its connection was lost."""
        ...


def journal_path(storage: str) -> Path:
    """The file of a storage that is no database: `journal:PATH`, or the path itself."""
    return Path(storage.removeprefix("journal:"))


def locks_for(storage: str | None, folder: str | os.PathLike[str], space: str) -> Locks:
    """The locks that all workers on one storage share.

    Args:
        storage: None: the folder itself; a journal file: locks lie beside it; `postgresql://...`: the database.
        folder: of the work.
        space: such as the name of the study.

    Raises:
        ValueError: when the storage is an address that cannot be read.

    Example:
        >>> from learnsym.workers import locks_for
        >>> locks_for("journal:/tmp/studies/a.log", "runs", "digits").folder
        PosixPath('/tmp/studies/.locks')
    """
    if is_database(storage):
        return DatabaseLocks(storage or "", space)
    if storage is None:
        return FolderLocks(folder, space)
    path = journal_path(storage)
    return FolderLocks(path.parent, f"{path.name}/{space}")
