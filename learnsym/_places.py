"""What a text that names data or a network looks like: which format it has, before anything is read."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from learnsym._kinds import NAMES
from learnsym._python_file import check_file, reference_of
from learnsym._settings import shown

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
        >>> from learnsym._places import place_of
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


def check_named(name: str, known: Collection[str]) -> None:
    """Refuse a text that names neither a data set nor a place.

    Args:
        name: the text.
        known: names of data sets.

    Raises:
        ValueError: with names that look like it.
    """
    if name not in known and place_of(name) is None:
        close = difflib.get_close_matches(name[:100], known, n=3)
        nearest = f"; nearest: {', '.join(close)}" if close else ""
        names = f"{', '.join(list(known)[:12])}, ... (`learnsym data list` has all{nearest})"
        raise ValueError(f"data.name: got {shown(name)}, must be one of {names}, or a file or folder of your own")


def check_known(name: str, known: Collection[str]) -> None:
    """Refuse a text that names no data set.

    Raises:
        ValueError: with all names.
    """
    if name not in known:
        raise ValueError(f"data.name: got {name!r}, must be one of {', '.join(known)}")


def check_there(place: Place) -> None:
    """Refuse a file that is not there; of a folder it is said when it is read.

    Raises:
        ValueError: with the path.
    """
    if place.kind != "folder" and not place.path.exists():
        raise ValueError(f"data: {place.path} cannot be read (it is not there); check the path")


def check_source(name: str) -> None:
    """Refuse data that are neither known nor there.

    Raises:
        ValueError: with names that look like it, or the path.
    """
    check_named(name, NAMES["data"])
    place = None if name in NAMES["data"] else place_of(name)
    if place is not None:
        check_there(place)


def check_factory(word: str, argument: str) -> None:
    """Refuse FILE.py:factory whose file is not there.

    Raises:
        ValueError: with the path.
    """
    reference = reference_of(word)
    if reference is not None:
        check_file(reference.path, argument)


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()
