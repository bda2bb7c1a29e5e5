"""Damaged files: whatever reading them raises, as one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from learnsym._reasons import first_line


@contextmanager
def readable(path: Path, remedy: str) -> Iterator[None]:
    """Turn an error of zipfile, zlib, numpy, tokenize, Pillow or others into one sentence.

    Args:
        path: what is read in the block.
        remedy: with which the sentence ends.

    Raises:
        ValueError: naming the file and the reason.
    """
    try:
        yield
    except Exception as error:
        reason = first_line(error) or type(error).__name__
        raise ValueError(f"data: {path} cannot be read ({reason}); {remedy}") from error
