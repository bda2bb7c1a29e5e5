"""Locks on files: for processes that share a folder."""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

# A record lock belongs to its process and ends when the process closes any descriptor of the file, so that one
# process must open a file once, whatever objects ask for it.
_held: dict[Path, int] = {}
_changed = threading.Condition()


def _reset() -> None:
    """A child inherits descriptors, but no record locks."""
    global _changed
    _changed = threading.Condition()
    for descriptor in _held.values():
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_reset)


class FolderLocks:
    """Named locks on files below `folder/.locks/`.

    A lock ends with the process that holds it, at once, however it ends; processes that it has forked do not keep it.

    Args:
        folder: is made on first use; on a network drive locks need NFS 4 or a lock service.
        space: names of different spaces do not meet.

    Example:
        >>> import tempfile
        >>> from learnsym.workers import FolderLocks
        >>> folder = tempfile.TemporaryDirectory()
        >>> locks = FolderLocks(folder.name)
        >>> with locks.held("cell") as mine, locks.held("cell") as again:
        ...     mine, again
        (True, False)
        >>> folder.cleanup()
    """

    def __init__(self, folder: str | os.PathLike[str], space: str = "") -> None:
        self.folder = Path(folder).resolve() / ".locks"
        self.space = space

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """Try once, and hold the lock in the block; False when another thread or process has it."""
        path = self._path(name)
        mine = _take(path, wait=False)
        try:
            yield mine
        finally:
            if mine:
                _give_back(path)

    @contextmanager
    def waiting(self, name: str) -> Iterator[None]:
        """Wait for the lock, and hold it in the block."""
        path = self._path(name)
        _take(path, wait=True)
        try:
            yield
        finally:
            _give_back(path)

    def holds(self, name: str) -> bool:
        """Whether this process has the lock."""
        return self._path(name) in _held

    def _path(self, name: str) -> Path:
        """A file that can be recognised; the hash tells apart names that look the same."""
        full = f"{self.space}/{name}" if self.space else name
        readable = re.sub(r"[^\w.-]+", "_", full)[:80]
        return self.folder / f"{readable}-{sha256(full.encode()).hexdigest()[:12]}"


def _take(path: Path, *, wait: bool) -> bool:
    with _changed:
        while path in _held:
            if not wait:
                return False
            _changed.wait()
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        _held[path] = descriptor
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException as error:
        _give_back(path)
        if isinstance(error, BlockingIOError | PermissionError):  # either, by POSIX
            return False
        raise
    return True


def _give_back(path: Path) -> None:
    with _changed:
        os.close(_held.pop(path))
        _changed.notify_all()
