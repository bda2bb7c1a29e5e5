"""What to say when there is no space left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from learnsym.files import FULL


@contextmanager
def full_disk() -> Iterator[None]:
    """Give the error of a full disk its remedy; the work in the block keeps what it has finished.

    Raises:
        OSError: with the same number.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = f" ({error.filename})" if error.filename else ""
        message = f"the disk is full{where}; nothing is lost: free space, then give the same command again"
        raise OSError(error.errno, message) from error
