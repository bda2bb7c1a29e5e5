"""Source: a data set that can be loaded by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from learnsym.data.dataset import Dataset
from learnsym.data.files import File, check, locate
from learnsym.data.resizing import fit


class Sizes(NamedTuple):
    """Numbers of examples per split."""

    train: int
    val: int
    test: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set that can be loaded by name: its files, its licence, and the function that reads them.

    `read(sizes, seed)` gives the published pools `train` and `test`, and `val` when the authors made one; a simulator
    draws as many examples as `sizes` asks for.
    """

    name: str
    title: str
    licence: str
    sizes: Sizes
    """Numbers of examples where a config does not say."""
    read: Callable[[Sizes, int], dict[str, Dataset]]
    files: tuple[File, ...] = ()
    """Empty when the data come with the package or are drawn."""
    resize: Callable[[Dataset, int | None], Dataset] = fit
    with_energies: Callable[[Sizes, int], dict[str, Dataset]] | None = None
    """Reads molecules with energies beside forces as targets; None for all other data."""
    on_sphere: Callable[[Sizes, int, int | None, Any], dict[str, Dataset]] | None = None
    """Draws images on the sphere, of given sizes, seed, pixels and `SphereConfig`; None for all other data."""
    also: str = ""
    """Name of another source to point to when the files are missing."""

    @property
    def bytes(self) -> int:
        """Size of the download."""
        return sum(file.size for file in self.files)

    @property
    def present(self) -> bool:
        """Whether every file is there; its content is not checked."""
        return all(locate(file) is not None for file in self.files)


def find(name: str, file: File, also: str = "") -> Path:
    """The checked path of a file of the source `name`.

    Raises:
        ValueError: when the file is in no folder (with how to get it) or is corrupt.
    """
    path = locate(file)
    if path is None:
        ways = [f"run `learnsym data fetch {name}`"] if file.urls else []
        ways.append(f"set LEARNSYM_DATA to a folder that holds {file.path}")
        ways.extend([f"or use `{also}`"] if also else [])
        raise ValueError(f"data.name: the files of {name} are missing; {', '.join(ways)}")
    check(path, file)
    return path
