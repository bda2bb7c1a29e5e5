"""One process at a time in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import filelock

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, until this process ends at the latest.

    Raises:
        ValueError: when another process, or another caller in this one, holds it.
    """
    give_back = _on_file(folder / ".lock") if fcntl is None else _on_folder(folder)
    if give_back is None:
        raise ValueError(f"run: another process is training in {folder}; wait for it to end")
    try:
        yield
    finally:
        give_back()


def _on_folder(folder: Path) -> Callable[[], None] | None:
    """Lock the folder itself; what gives it back, or None when it is taken."""
    assert fcntl is not None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return partial(os.close, descriptor)


def _on_file(path: Path) -> Callable[[], None] | None:
    """Lock a file in the folder, where folders cannot be; what gives it back, or None when it is taken."""
    lock = filelock.FileLock(path, blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        return None
    return lock.release
