"""Memory that work would take, asked before it is taken."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

try:
    import resource
except ImportError:  # not a Unix
    resource = None

GIB = 2**30
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
