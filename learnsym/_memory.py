"""Memory that work would take, asked before it is taken."""

from __future__ import annotations

import math
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

try:
    import resource
except ImportError:  # not a Unix
    resource = None

GIB = 2**30
MEMORY = 4.0
"""GiB for what is computed at a time beside the examples, where nothing else is asked for."""
UNITS = {"K": 2**10, "M": 2**20, "G": GIB, "T": 2**40}
"""Bytes of each letter with which an amount may end."""
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux says what a container may have."""


def memory() -> int:
    """Bytes that this process can have at most: those of the machine, of its container, or of its own limit.

    Without a limit where the system does not say, as Windows: what is too large then fails where it is made.
    """
    if resource is None or not hasattr(os, "sysconf"):
        return sys.maxsize
    most = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    own = resource.getrlimit(resource.RLIMIT_AS)[0]
    most += [own] if own != resource.RLIM_INFINITY else []
    for limit in map(Path, LIMITS):
        with suppress(OSError, ValueError):  # no such file, or the word max
            most.append(int(limit.read_text()))
    return min(most)


def gibibytes(text: str) -> float:
    """The GiB of an amount as it is typed: `512M`, `4G`, `4GiB`, or a number, which is in GiB.

    Raises:
        ValueError: for what is no number, in words that follow the name of the argument.

    Example:
        >>> from learnsym._memory import gibibytes
        >>> gibibytes("512M"), gibibytes("4G"), gibibytes("4")
        (0.5, 4.0, 4.0)
    """
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,12})?)\s*([KMGT])(?:i?B)?", text.strip(), re.IGNORECASE)
    if found:
        return float(found[1]) * UNITS[found[2].upper()] / GIB
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"got {text[:40]!r}, must be an amount such as 512M or 4G; 4G is usual") from None


def written(count: int) -> str:
    """An amount of bytes as it is typed, rounded up: what it names is enough.

    Example:
        >>> from learnsym._memory import written
        >>> written(2**30), written(2**20 + 1)
        ('1G', '2M')
    """
    letter = next((letter for letter in "TGM" if count >= UNITS[letter]), "K")
    return f"{math.ceil(count / UNITS[letter])}{letter}"


def check_fits(name: str, value: object, needed: float, what: str) -> None:
    """Refuse what no part of this machine's memory could hold.

    Args:
        name: of the setting that makes it large, with which the error begins.
        value: of that setting.
        needed: bytes.
        what: takes them, in words.

    Raises:
        ValueError: one sentence with both sizes.

    Example:
        >>> from learnsym._memory import check_fits
        >>> check_fits("data.size", 28, 1e6, "images")
    """
    if needed > memory():
        raise ValueError(
            f"{name}: got {value}, for which {what} take {needed / GIB:.0f} GiB or more, and there are "
            f"{memory() / GIB:.0f} GiB; lower it"
        )
