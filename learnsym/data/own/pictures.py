"""Many picture files as one array: decoded once into the cache folder, from which they are read on demand."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from learnsym.data.files import cache_folder
from learnsym.data.own.cache import cached_rows
from learnsym.data.own.fingerprint import fingerprint
from learnsym.data.own.picture import Picture, look, pixels
from learnsym.data.rows import Rows
from learnsym.files import read_json, write_json


def picture_rows(files: Sequence[Path], root: Path, size: int | None) -> tuple[Rows, tuple[str, ...]]:
    """Pictures `(N, C, H, W)` in the order of the files, and what is to be said of them.

    Pictures of one size stay as they are. Those of several sizes need one: the shorter side of each is scaled to
    `size`, and what is left over of the longer one is cut off around the centre.

    Args:
        files: the pictures.
        root: folder that their names are taken from.
        size: in pixels, for pictures of several sizes.

    Raises:
        ValueError: when a file is damaged, or sizes differ and none is said.
    """
    key = fingerprint(files, root, [os.path.relpath(path, root) for path in files])
    about = _about(key, files)
    side = _side(about, size)
    shape = (len(files), about["channels"], *(about["shape"] if side is None else (side, side)))
    name = key if side is None else f"{key}-{side}"
    dtype = np.dtype(np.float32 if about["deep"] else np.uint8)

    def row(number: int) -> np.ndarray:
        return pixels(files[number], about["channels"], about["deep"], side)

    cropped = () if side is None else (f"{about['sizes']}: scaled to {side} pixels and cut to their middle",)
    return cached_rows(name, shape, dtype, row, "reading pictures"), (*about["notes"], *cropped)


def _about(key: str, files: Sequence[Path]) -> dict:
    """What all headers together say, which is kept beside the pixels."""
    path = cache_folder() / "own" / f"{key}.json"
    if path.is_file():
        return read_json(path, "data", "delete it")
    looked = [look(each) for each in tqdm(files, "looking at pictures", unit="file", disable=not sys.stderr.isatty())]
    about = _summary(looked, files)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, about)
    return json.loads(json.dumps(about))


def _summary(looked: list[Picture], files: Sequence[Path]) -> dict:
    shapes = {(each.height, each.width): path for each, path in zip(looked, files, strict=True)}
    ordered = sorted(shapes)
    small, large = ordered[0], ordered[-1]
    sizes = f"sizes from {small[1]}x{small[0]} ({shapes[small].name}) to {large[1]}x{large[0]} ({shapes[large].name})"
    return {
        "shape": ordered[0] if len(ordered) == 1 else None,
        "sizes": sizes,
        "channels": max(each.channels for each in looked),
        "deep": any(each.deep for each in looked),
        "notes": _notes(looked),
    }


def _side(about: dict, size: int | None) -> int | None:
    if about["shape"] is not None:
        return None
    if size is None:
        raise ValueError(
            f"data.size: the pictures have {about['sizes']}; say --data.size PIXELS, to which the shorter side of each "
            "is scaled before it is cut to its middle"
        )
    return size


def _notes(looked: list[Picture]) -> list[str]:
    modes = Counter(each.mode for each in looked)
    colours = "grey" if max(each.channels for each in looked) == 1 else "RGB"
    notes = []
    if len(modes) > 1 or next(iter(modes)) not in ("L", "RGB"):
        notes.append(f"modes {', '.join(f'{mode} ({count})' for mode, count in modes.items())} are read as {colours}")
    if any(mode.endswith("A") for mode in modes):
        notes.append("what is transparent becomes black")
    if any(each.deep for each in looked):
        notes.append("16 bits are scaled to [0, 1], floats are taken as they are")
    if any(each.shortened for each in looked):
        notes.append("colours of 16 bits are read with 8 bits")
    turned = sum(each.turned for each in looked)
    return notes + ([f"{turned} pictures are turned as their cameras noted"] if turned else [])
