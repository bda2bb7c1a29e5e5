"""Data of one's own: files, folders, and objects in memory, by one rule."""

from __future__ import annotations

from learnsym._places import Place, check_there
from learnsym.data.dataset import Dataset
from learnsym.data.own.example_files import read_csv, read_folder
from learnsym.data.own.npy import read_npy
from learnsym.data.own.npz import read_npz
from learnsym.data.own.pools import Found, datasets
from learnsym.data.own.python import read_python
from learnsym.data.own.reading import Reading
from learnsym.data.own.xyz import read_xyz


def read_own(place: Place, reading: Reading) -> dict[str, Dataset]:
    """The examples at a place, by split; `train` alone where it has no splits.

    Raises:
        ValueError: when they cannot be read or used; one sentence with the remedy.
    """
    try:
        return datasets(_found(place, reading), place.name, reading)
    except ValueError as error:
        if str(error).startswith("data"):
            raise
        raise ValueError(f"data: {place}, {error}") from error


def _found(place: Place, reading: Reading) -> Found:
    check_there(place)
    match place.kind:
        case "npz":
            return read_npz(place.path, reading)
        case "npy":
            return read_npy(place.path)
        case "csv":
            return read_csv(place.path, reading)
        case "xyz":
            return read_xyz(place.path, reading)
        case "python":
            return read_python(place.path, place.function)
        case _:
            return read_folder(place.path, reading)
