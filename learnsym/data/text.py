"""Text files, plain or gzipped, read line by line so that every complaint names its file and line."""

from __future__ import annotations

import gzip
import math
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SHOWN = 60
"""How much of a line is quoted."""


@dataclass(frozen=True)
class Line:
    """One line of a file."""

    path: Path
    number: int
    """From 1."""
    text: str

    @property
    def words(self) -> list[str]:
        """What stands between blanks."""
        return self.text.split()

    def wrong(self, expected: str) -> ValueError:
        """The complaint that something else was expected here."""
        got = self.text.strip()
        got = got if len(got) <= SHOWN else f"{got[:SHOWN]}..."
        return ValueError(f"{self.path}, line {self.number}: got {got!r}, expected {expected}")

    def floats(self, words: Sequence[str], expected: str) -> list[float]:
        """Finite numbers of some words of this line.

        Raises:
            ValueError: when a word is no finite number.
        """
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = [math.nan]
        if not all(math.isfinite(value) for value in values):
            raise self.wrong(f"{expected}, finite numbers")
        return values


def read_lines(path: Path) -> list[Line]:
    """All lines of a text file; uncompressed first when its name ends in `.gz`.

    Raises:
        ValueError: when the file is missing, corrupt or no text.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as stream:
            texts = stream.read().splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as text ({error}); give a text file, plain or .gz") from error
    return [Line(path, i, text) for i, text in enumerate(texts, 1)]


def compress(source: Path, target: Path) -> None:
    """Gzip a download, the same bytes each time."""
    with open(source, "rb") as plain, open(target, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        shutil.copyfileobj(plain, packed)
