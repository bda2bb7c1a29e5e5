"""learnsym measure ase:FILE.py:factory: the rotation check of a calculator of ASE."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from learnsym.files import check_folder, write_json

if TYPE_CHECKING:
    from ase import Atoms

PREFIX = "ase:"
ORIENTATIONS = 24
USED = {"model", "data", "out", "samples", "examples", "seed", "data_units"}


def measure_potential(options: argparse.Namespace) -> int:
    """Print the table of `measure.potential`, and write `potential.json` where a folder is given."""
    _check(options)
    from learnsym.data.molecules import read_atoms
    from learnsym.measure import potential
    from learnsym.measure.potential.load import load_calculator

    out = None if options.out is None else check_folder(options.out)
    calculator = load_calculator(options.model[0].removeprefix(PREFIX))
    frames = read_atoms(options.data, units=options.data_units or None)
    chosen = _evenly(frames, options.examples)
    given = options.samples if options.samples != options.defaults["samples"] else ORIENTATIONS
    found = potential(calculator, chosen, orientations=given, seed=options.seed)
    if len(chosen) < len(frames):
        print(f"{len(chosen)} of {len(frames)} frames, evenly spaced; --examples takes more")
    print(found)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        path = out / "potential.json"
        write_json(path, found.to_json(), indent=2)
        print(f"written: {path}")
    return 0


def _evenly(frames: list[Atoms], count: int) -> list[Atoms]:
    count = min(count, len(frames))
    return [frames[k * len(frames) // count] for k in range(count)]


def _check(options: argparse.Namespace) -> None:
    """One calculator, frames, and nothing that is not used."""
    if len(options.model) > 1:
        raise ValueError(f"model: got {len(options.model)} with a calculator of ASE, must be one; measure one by one")
    if options.data is None or not str(options.data).endswith((".xyz", ".extxyz", ".gz")):
        raise ValueError(f"data: got {options.data}, must be frames in FILE.xyz for a calculator of ASE; name the file")
    if options.symmetry not in (None, ["o3"]):
        raise ValueError(f"symmetry: got {options.symmetry}, must be o3 for a calculator of ASE; leave it out")
    for name, default in options.defaults.items():
        if name not in USED | {"symmetry"} and getattr(options, name) != default:
            raise ValueError(f"{name}: is not used for a calculator of ASE; leave it out")
    if options.examples < 1:
        raise ValueError(f"examples: got {options.examples}, must be >= 1; 200 is usual")
