"""`metrics.jsonl`: one JSON object a line, appended to, and cut back to the checkpoint when a run is resumed."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

from learnsym.files import checked


class MetricsFile:
    """The log of a run, whose length in bytes is part of each checkpoint: what was written after it is cut off."""

    def __init__(self, path: Path, size: int = 0) -> None:
        if path.exists() and path.stat().st_size < size:
            raise ValueError(
                f"run: {path} is shorter than its checkpoint says ({path.stat().st_size} of {size} bytes); "
                "restore the file, or train again in a new folder"
            )
        self._file = io.FileIO(path, "ab")
        self._file.truncate(size)

    def append(self, record: dict[str, Any]) -> None:
        """Write one line at once, so that a kill tears at most the last line."""
        line = json.dumps(record).encode() + b"\n"
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            message = f"metrics could not be written ({error.strerror}); free space, then give the same command again"
            raise OSError(error.errno, message, self._file.name) from error

    def size(self) -> int:
        """Bytes written, all of them on disk."""
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole lines, in order; a torn last line is left out.

    Raises:
        ValueError: naming the first line that is no record of a step.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [_record(number, line) for number, line in enumerate(lines, 1) if line]


def _record(number: int, line: bytes) -> dict[str, Any]:
    try:
        return checked(json.loads(line), {"step": int, "split": str})
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number}: {error}") from error
