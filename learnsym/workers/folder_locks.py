"""Locks on files: for processes that share a folder."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from learnsym.workers.file_lock import lock_file

# A record lock belongs to its process and ends when the process closes any descriptor of the file, so that one
# process must open a file once, whatever objects ask for it.
_held: dict[Path, Callable[[], None] | None] = {}
"""What gives each lock back that this process has; None while it waits for it."""
_changed = threading.Condition()


def _reset() -> None:
    """A child inherits descriptors, but no record locks."""
    global _changed
    _changed = threading.Condition()
    for give_back in filter(None, _held.values()):
        give_back()
    _held.clear()


if hasattr(os, "register_at_fork"):
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
        return _held.get(self._path(name)) is not None

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
        _held[path] = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        give_back = lock_file(path, wait=wait)
    except BaseException:
        _forget(path)
        raise
    _held[path] = give_back
    if give_back is None:
        _forget(path)
    return give_back is not None


def _give_back(path: Path) -> None:
    give_back = _held[path]
    assert give_back is not None
    give_back()
    _forget(path)


def _forget(path: Path) -> None:
    with _changed:
        _held.pop(path)
        _changed.notify_all()
