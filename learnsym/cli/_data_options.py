"""Options of commands that say how data of one's own are read, spelled as in configurations."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from learnsym.data.own.reading import Reading

LAYOUTS = ("table", "nhw", "nhwc", "nchw", "ndhw", "ndhwc", "ncdhw", "cloud")
TARGETS = ("labels", "names", "numbers")
TEXTS = {
    "x": "name of the array of inputs, or of the column of paths",
    "y": "name of the array of targets, or of the column of labels",
    "moves": "which of several inputs a symmetry moves, by its key",
    "energy": "key of the energy in a file .xyz",
    "forces": "column of the forces in a file .xyz",
    "units": "units of a file .xyz, such as kcal/mol/Angstrom",
}
SOURCE = """a name that `learnsym data list` prints, FILE.npz, FILE.npy, FILE.csv of paths and labels, FILE.xyz, a
folder of images or NIfTI scans by class, or FILE.py:function (the file is executed: give none that you do not trust)"""


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Declare `--data.layout` and its like."""
    group = parser.add_argument_group("data of your own, where they cannot be told")
    group.add_argument("--data.layout", dest="data_layout", choices=LAYOUTS, help="order of axes of arrays")
    group.add_argument("--data.targets", dest="data_targets", choices=TARGETS, help="what targets are")
    for key, text in TEXTS.items():
        group.add_argument(f"--data.{key}", dest=f"data_{key}", default="", metavar=key.upper(), help=text)


def data_options(options: argparse.Namespace) -> dict[str, str]:
    """What was said, by key of `DataConfig`."""
    keys = ("layout", "targets", *TEXTS)
    return {key: getattr(options, f"data_{key}") for key in keys if getattr(options, f"data_{key}")}


def reading_of(source: str | None, options: argparse.Namespace) -> Reading | None:
    """How a source is read; None where nothing was said.

    Raises:
        ValueError: when something was said that the source has no use for.
    """
    given = data_options(options)
    if not given:
        return None
    if source is None:
        raise ValueError(f"data.{next(iter(given))}: got {next(iter(given.values()))!r} without --data; name the data")
    from learnsym.data import DataConfig

    return DataConfig(name=source, **given).reading  # type: ignore[arg-type]
