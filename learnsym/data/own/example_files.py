"""Sources with one file an example: a folder by class, or a table of paths and labels."""

from __future__ import annotations

from pathlib import Path

import torch

from learnsym.data.own.listing import Listing, is_image, is_volume, listed
from learnsym.data.own.npy import read_npy_folder
from learnsym.data.own.pictures import picture_rows
from learnsym.data.own.pools import Found, Pool
from learnsym.data.own.reading import Reading
from learnsym.data.own.scans import scan_rows
from learnsym.data.own.table import read_table
from learnsym.data.rows import Rows


def read_folder(folder: Path, reading: Reading) -> Found:
    """The examples of a folder: files by class, or arrays.

    Raises:
        ValueError: when there is no such folder, it holds no examples, or a file is damaged.
    """
    if not folder.is_dir():
        kind = "is a file of no known format" if folder.exists() else "is not there"
        raise ValueError(f"data: {folder} {kind}; give a folder of images by class, or a file .npz, .npy, .csv or .xyz")
    arrays = read_npy_folder(folder)
    if arrays is not None:
        return arrays
    listings, names, notes = listed(folder)
    return _found(listings, folder, reading, names, notes)


def read_csv(path: Path, reading: Reading) -> Found:
    """The examples that a table lists.

    Raises:
        ValueError: when the table or a file is damaged, or a file is missing.
    """
    listings, notes = read_table(path, reading)
    return _found(listings, path.parent, reading, (), notes)


def _found(
    listings: dict[str, Listing], root: Path, reading: Reading, names: tuple[str, ...], notes: tuple[str, ...]
) -> Found:
    if reading.layout is not None:
        raise ValueError(f"data.layout: got {reading.layout} for files of one example each; leave it out")
    rows, said = _rows([path for listing in listings.values() for path in listing.paths], root, reading)
    pools, start = {}, 0
    for split, listing in listings.items():
        pools[split] = Pool(_between(rows, start, start + len(listing.paths)), listing.targets)
        start += len(listing.paths)
    told = f"{start} files" + (f" of {len(names)} classes" if names else "")
    key = rows.stretch.path.stem
    return Found(pools=pools, names=names, ready=True, notes=(told, *said, *notes), fingerprint=key)


def _rows(files: list[Path], root: Path, reading: Reading) -> tuple[Rows, tuple[str, ...]]:
    if all(is_image(path) for path in files):
        return picture_rows(files, root, reading.size)
    if all(is_volume(path) for path in files):
        return scan_rows(files, root)
    other = next(
        path for path in files if is_image(path) != is_image(files[0]) or not (is_image(path) or is_volume(path))
    )
    raise ValueError(f"data: {other} is no file like {files[0].name}; give pictures or scans (.nii.gz) alone")


def _between(rows: Rows, start: int, stop: int) -> Rows:
    return rows.subset(torch.arange(start, stop))
