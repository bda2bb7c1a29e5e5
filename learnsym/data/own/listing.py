"""Listings: the files of examples with their classes, from folders or from a table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from learnsym.data.own.names import split_of

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
VOLUMES = (".nii", ".nii.gz")


class Listing(NamedTuple):
    """Files of one split, and a target of each; None for the targets where there are none."""

    paths: list[Path]
    targets: list[Any] | None


def is_image(path: Path) -> bool:
    """Whether a file is a picture, by its name."""
    return path.name.lower().endswith(IMAGES)


def is_volume(path: Path) -> bool:
    """Whether a file is a scan, by its name."""
    return path.name.lower().endswith(VOLUMES)


def listed(folder: Path) -> tuple[dict[str, Listing], tuple[str, ...], tuple[str, ...]]:
    """The files of a folder by split, the names of the classes, and what was left out.

    Classes are numbered in the order of their names. Folders `train`, `val` or `validation`, and `test` are splits;
    each holds a folder a class, or files without classes.

    Raises:
        ValueError: when there are no files, or splits have other classes than the training examples.
    """
    splits = _splits(folder)
    files = {split: _by_class(place) for split, place in splits.items()}
    names = tuple(sorted(files["train"]))
    for split, by_class in files.items():
        _check_classes(split, by_class, names, splits[split])
    listings = {split: _listing(by_class, names) for split, by_class in files.items()}
    return listings, names if names != ("",) else (), _left_out(folder, listings)


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _splits(folder: Path) -> dict[str, Path]:
    """The folders of splits; the folder itself where it has none."""
    named = {split_of(each.name): each for each in _folders(folder) if split_of(each.name) or _files(each)}
    splits = {split: each for split, each in named.items() if split is not None}
    others = named[None].name if None in named else ""
    if len(splits) >= 2 and others:
        raise ValueError(
            f"data: {folder} holds {others} beside {' and '.join(each.name for each in splits.values())}; move it "
            "elsewhere, or put the classes into one folder"
        )
    if splits and "train" not in splits and not others:
        first = next(iter(splits.values()))
        raise ValueError(f"data: {folder} holds {first.name}, but no folder train; add it, or give {first}")
    return splits if splits and not others else {"train": folder}


def _by_class(folder: Path) -> dict[str, list[Path]]:
    """Files by the name of the folder that they lie in, at any depth; by the empty name where they lie in the outer."""
    found = {each.name: _files(each) for each in _folders(folder)}
    loose = sorted(each for each in folder.iterdir() if _is_example(each))
    found = {name: paths for name, paths in found.items() if paths}
    if loose and found:
        raise ValueError(
            f"data: {folder} holds {loose[0].name} beside folders of classes ({next(iter(found))}); put each file into "
            "the folder of its class"
        )
    if not loose and not found:
        endings = ", ".join((*IMAGES, *VOLUMES))
        raise ValueError(
            f"data: {folder} holds no examples ({endings}); give a folder with a folder of files per class"
        )
    return found or {"": loose}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if _is_example(path))


def _is_example(path: Path) -> bool:
    return (is_image(path) or is_volume(path)) and not path.name.startswith(".") and path.is_file()


def _check_classes(split: str, by_class: dict[str, list[Path]], names: tuple[str, ...], folder: Path) -> None:
    others = sorted(set(by_class) - set(names))
    if others:
        told = f"a class {others[0]!r}" if others[0] else "files without classes"
        raise ValueError(f"data: {folder} ({split}) has {told}, which train has not; name the folders alike")


def _listing(by_class: dict[str, list[Path]], names: tuple[str, ...]) -> Listing:
    pairs = [(path, names.index(name)) for name, paths in sorted(by_class.items()) for path in paths]
    paths, numbers = [path for path, _ in pairs], [number for _, number in pairs]
    return Listing(paths, None if names == ("",) else numbers)


def _left_out(folder: Path, listings: dict[str, Listing]) -> tuple[str, ...]:
    used = {path for listing in listings.values() for path in listing.paths}
    others = [path for path in folder.rglob("*") if path.is_file() and path not in used]
    if not others:
        return ()
    kinds = Counter(path.suffix or path.name for path in others)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
    return (f"left out are {len(others)} files that are no examples ({told})",)
