"""One bad input: what is typed, what lies in the folder, and what the sentence must name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Bad:
    """A command that must end with exit code 2 and one sentence.

    The command runs in a folder of its own, so that `words` name files without a path.
    """

    name: str
    words: str | list[str]
    """What follows `learnsym`; a string is split at blanks."""
    says: tuple[str, ...]
    """All of these are in the sentence."""
    files: dict[str, str | bytes | Callable[[Path], None]] | None = None
    """Text or bytes by file name, or a function that writes the file."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables that are set for the command."""
    needs: str = ""
    """A library of an extra, without which the row is skipped."""

    @property
    def arguments(self) -> list[str]:
        """The words, one by one."""
        return self.words.split() if isinstance(self.words, str) else list(self.words)

    def prepare(self, folder: Path) -> None:
        """Write the files."""
        for name, content in (self.files or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if callable(content):
                content(path)
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)


def needing(library: str, rows: Iterable[Bad]) -> list[Bad]:
    """Rows that are skipped without a library of an extra."""
    return [replace(row, needs=library) for row in rows]
