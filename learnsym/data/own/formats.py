"""What a text that names data looks like: which format it has, before anything is read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from learnsym._python_file import reference_of

ENDINGS = {
    ".npz": "npz",
    ".npy": "npy",
    ".csv": "csv",
    ".tsv": "csv",
    ".xyz": "xyz",
    ".extxyz": "xyz",
    ".xyz.gz": "xyz",
    ".extxyz.gz": "xyz",
}
USES = {
    "npz": ("layout", "x", "y", "targets"),
    "npy": ("layout", "targets"),
    "csv": ("x", "y", "targets"),
    "xyz": ("energies", "energy", "forces", "units"),
    "python": ("layout", "targets", "moves"),
    "folder": ("layout", "targets"),
}
"""Which settings of `Reading` a format has a use for; its size in pixels apart."""


@dataclass(frozen=True)
class Place:
    """Where data of one's own are.

    Args:
        kind: of the format, a key of `USES`.
        path: absolute.
        function: of FILE.py:function; empty otherwise.
    """

    kind: str
    path: Path
    function: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.function}" if self.function else str(self.path)

    @property
    def name(self) -> str:
        """What tables and figures call them."""
        return f"{self.path.stem}.{self.function}" if self.function else self.path.name


def place_of(text: str) -> Place | None:
    """The place that a text names; None where it looks like no file or folder.

    A relative path is one from the current folder. Whether anything is there is seen when it is read.

    Example:
        >>> from learnsym.data.own.formats import place_of
        >>> place_of("pets.npz").kind, place_of("load.py:pets").name, place_of("digits")
        ('npz', 'load.pets', None)
    """
    reference = reference_of(text)
    if reference is not None:
        return Place("python", _absolute(reference.path), reference.name)
    path = _absolute(Path(text))
    lower = path.name.lower()
    kind = next((ENDINGS[ending] for ending in sorted(ENDINGS, key=len, reverse=True) if lower.endswith(ending)), None)
    if kind is not None:
        return Place(kind, path)
    looks_like_one = "/" in text or "\\" in text or text in (".", "..") or os.path.isdir(path)
    return Place("folder", path) if text and looks_like_one and path.suffix != ".py" else None


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()
