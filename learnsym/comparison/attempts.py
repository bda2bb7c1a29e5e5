"""How often work has died with its process: after several deaths at the same step it is given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from learnsym.files import read_json, write_json

MOST = 10
"""Deaths without a step of progress."""


class TooManyDeaths(Exception):
    """The work is given up."""


@contextmanager
def attempt(path: Path, step: int) -> Iterator[None]:
    """Note that work begins at a step, and that it has ended, whichever way, unless the process dies.

    Raises:
        TooManyDeaths: when processes have died in it too often.
    """
    deaths = _deaths(path, step)
    if deaths >= MOST:
        path.unlink(missing_ok=True)
        raise TooManyDeaths(f"the process died {deaths} times at step {step} (killed, or out of memory)")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"step": step, "deaths": deaths})
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _deaths(path: Path, step: int) -> int:
    """Deaths at this step, with the one that left the note."""
    try:
        note = read_json(path, "out", "delete it", {"step": int, "deaths": int})
    except ValueError:  # there is none, or a killed process has left half of one
        return 0
    return note["deaths"] + 1 if note["step"] == step else 1
