"""A lock on one file: a record lock where the system has them, one of `filelock` elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import filelock

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None


def lock_file(path: Path, *, wait: bool) -> Callable[[], None] | None:
    """Lock a file, which is made; what gives it back, or None when another process has it.

    Args:
        path: of the file; one process may lock it once.
        wait: until it is free.
    """
    return _by_filelock(path, wait=wait) if fcntl is None else _by_record(path, wait=wait)


def _by_record(path: Path, *, wait: bool) -> Callable[[], None] | None:
    """Forked processes do not keep a record lock, as they would that of `filelock`."""
    assert fcntl is not None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError | PermissionError):  # either, by POSIX
            return None
        raise
    return partial(os.close, descriptor)


def _by_filelock(path: Path, *, wait: bool) -> Callable[[], None] | None:
    lock = filelock.FileLock(path, blocking=wait)
    try:
        lock.acquire()
    except filelock.Timeout:
        return None
    return lock.release
