"""3bpa, acac, ethanol: flexible drug-like molecule, acetylacetone and ethanol, each with forces of density functionals.

Batatia et al. (2022), "The design space of E(3)-equivariant atom-centered interatomic potentials", arXiv:2205.06643;
3BPA by Kovacs et al. (2021), "Linear atomic cluster expansion force fields for organic molecules"; ethanol chosen from
rMD17, Christensen and von Lilienfeld (2020), arXiv:2007.09593, and recomputed. In eV and Angstrom.

Targets are forces, and energies if asked for. The published test files of 3BPA are not used: its test is
`train_mixedT`, at 300, 600 and 1200 K, without the 31 configurations that `train_300K` holds as well; numbers are
therefore not those of the papers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.files import File
from learnsym.data.molecules.configurations import Molecules
from learnsym.data.molecules.extxyz import read_extxyz
from learnsym.data.molecules.targets import of_energies_and_forces, of_forces
from learnsym.data.source import Sizes, Source, find
from learnsym.data.text import compress
from learnsym.data.unsized import unsized

_COMMIT = "29e6d467317e4b5967b7ea5cbee54de953fa0d45"
_RAW = f"https://raw.githubusercontent.com/davkovacs/BOTNet-datasets/{_COMMIT}"


Targets = Callable[[Molecules], dict[str, Any]]


def _file(folder: str, name: str, size: int, sha256: str) -> File:
    url = f"{_RAW}/dataset_{folder}/{name}.xyz"
    path = f"molecules-botnet/{folder}/{name}.xyz.gz"
    return File(path=path, sha256=sha256, size=size, kind="gzip", urls=(url,), build=compress)


FILES: dict[str, dict[str, File]] = {
    "3bpa": {
        "train": _file(
            "3BPA", "train_300K", 1_504_880, "d109971fab90e2231ad931a83eb704c8d940f5c7d7a8de27fe3b84ea18634c0a"
        ),
        "test": _file(
            "3BPA", "train_mixedT", 1_504_818, "bc108532964b2ed259eaaabf82e5dfaffa5bda9ac384fc2afabcce192a49250b"
        ),
    },
    "acac": {
        "train": _file(
            "acac", "train_300K", 880_100, "8f5706d6902360555a5be59395612d2afc3489a75688388a58e7275fdad68af3"
        ),
        "test": _file(
            "acac", "test_MD_300K", 1_144_100, "2291f3186a3cc6a5e05e92952c84a9237ca53f862d78fd3316a769360719ec43"
        ),
        "test_600K": _file(
            "acac", "test_MD_600K", 1_144_153, "d5a5bba154ec43f915eb7529f86ec3af60e6f911743859daba030181a0378ff7"
        ),
    },
    "ethanol": {
        "train": _file(
            "ethanol", "train", 1_115_876, "a26a16d8910581fa321fedc3bd3dfe31f2460e8cbfdc7a8f65243f4fd7250dd0"
        ),
        "test": _file(
            "ethanol", "test_MD", 1_110_863, "b8726933d5b9083989d8e3cc7013c18e0950cf0cbc6f6cd570fdb9759001031c"
        ),
    },
}
"""The file of each split of each molecule; what is neither `train` nor `test` is for `load_molecules` alone."""


def load_molecules(name: str, split: str = "train") -> Molecules:
    """All configurations of one split, with energies, in the published order and float64.

    Args:
        name: `3bpa`, `acac` or `ethanol`.
        split: `train` or `test`; `acac` has also `test_600K`, hotter than its training data.

    Raises:
        ValueError: when there is no such name or split, or a file is missing or corrupt.
    """
    for argument, value, known in (("name", name, list(FILES)), ("split", split, list(FILES.get(name, ())))):
        if value not in known:
            raise ValueError(f"{argument}: got {value!r}, must be one of {', '.join(known)}")
    molecules = read_extxyz(find(name, FILES[name][split]))
    return _without(molecules, load_molecules(name)) if (name, split) == ("3bpa", "test") else molecules


def _without(molecules: Molecules, others: Molecules) -> Molecules:
    """The configurations that are not among others."""
    known = {_key(positions) for positions in others.positions}
    return molecules.subset(torch.tensor([i for i, each in enumerate(molecules.positions) if _key(each) not in known]))


def _key(positions: Tensor) -> bytes:
    return positions.numpy().tobytes()


def _read(name: str, targets: Targets, sizes: Sizes, seed: int) -> dict[str, Dataset]:
    return {split: _dataset(name, load_molecules(name, split), targets) for split in ("train", "test")}


def _dataset(name: str, molecules: Molecules, targets: Targets) -> Dataset:
    variant = "test: train_mixedT without what train_300K holds" if name == "3bpa" else ""
    return Dataset(
        molecules.cloud().float(),
        name=name,
        variant=variant,
        on_input=molecules.layout,
        **targets(molecules),
    )


def _source(name: str, title: str, sizes: Sizes) -> Source:
    files = tuple(FILES[name].values())
    read, with_energies = partial(_read, name, of_forces), partial(_read, name, of_energies_and_forces)
    return Source(
        name=name,
        title=title,
        licence="MIT",
        sizes=sizes,
        read=read,
        files=files,
        resize=unsized,
        with_energies=with_energies,
    )


BPA = _source("3bpa", "3BPA: forces in a flexible drug-like molecule of 27 atoms, 300 K", Sizes(450, 50, 469))
ACAC = _source("acac", "Acetylacetone: forces in a molecule of 15 atoms, 300 K", Sizes(450, 50, 650))
ETHANOL = _source("ethanol", "Ethanol: forces in a molecule of 9 atoms, of rMD17", Sizes(900, 100, 1000))
