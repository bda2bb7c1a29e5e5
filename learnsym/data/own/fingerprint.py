"""A digest of files, by which a changed one is noticed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

SMALL = 64 * 2**20
"""Bytes of all files together up to which their content is read; names, sizes and times are looked at beyond."""


def fingerprint(files: Sequence[Path], root: Path, *words: object) -> str:
    """Sixteen hexadecimal digits of files and of what was said about them.

    Args:
        files: in any order.
        root: folder that their names are taken from.
        words: what else counts.
    """
    stats = {path: path.stat() for path in sorted(files)}
    whole = sum(stat.st_size for stat in stats.values()) <= SMALL
    digest = hashlib.sha256(repr(words).encode())
    for path, stat in stats.items():
        digest.update(f"{os.path.relpath(path, root)}\0{stat.st_size}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest() if whole else str(stat.st_mtime_ns).encode())
    return digest.hexdigest()[:16]
