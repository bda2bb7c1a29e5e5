"""Bad inputs of `learnsym data` and of data that configurations name."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from bad import Bad

HERE = {"LEARNSYM_DATA": ".", "LEARNSYM_CACHE": "cache"}
"""Data sets are looked for in the folder of the row alone."""
IMAGES, LABELS = "mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz"
TRAIN = "train c.yaml --out run"


def config(data: str) -> dict[str, str]:
    """A configuration whose section `data` is given."""
    return {"c.yaml": f"data: {{{data}}}\ntrain: {{steps: 1, device: cpu}}\n"}


def table(path: Path) -> None:
    """Rows of numbers, which are neither images nor clouds."""
    np.save(path, np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32))


ROWS: list[Bad] = [
    Bad("data alone", "data", ("ACTION",)),
    Bad("data action", "data nonsense", ("nonsense",)),
    Bad("data list with a word", "data list mnist", ("mnist",)),
    Bad("fetch nothing", "data fetch", ("NAME",)),
    Bad("fetch unknown", "data fetch none", ("'none'", "digits")),
    Bad("fetch empty name", ["data", "fetch", ""], ("''", "digits")),
    Bad("fetch without source", "data fetch cifar10-jpeg", ("cifar10-jpeg", "LEARNSYM_DATA"), environment=HERE),
    Bad("verify unknown", "data verify none", ("'none'", "digits")),
    Bad("verify missing", "data verify mnist", (IMAGES, "learnsym data fetch mnist"), environment=HERE),
    Bad("verify folder", "data verify mnist", (IMAGES, "missing"), {f"{IMAGES}/x": ""}, HERE),
    Bad("verify empty", "data verify mnist", (IMAGES, "corrupt"), {IMAGES: b""}, HERE),
    Bad("verify no gzip", "data verify mnist", (IMAGES, "corrupt"), {IMAGES: b"pictures"}, HERE),
    Bad("verify short", "data verify mnist", (IMAGES, "corrupt"), {IMAGES: gzip.compress(b"x" * 99)[:-9]}, HERE),
    Bad("verify other", "data verify mnist", (IMAGES, "sha256"), {IMAGES: gzip.compress(b"x")}, HERE),
    Bad("no data folder", "data verify mnist", ("LEARNSYM_DATA", "nowhere"), environment={"LEARNSYM_DATA": "nowhere"}),
    Bad("train on missing data", TRAIN, ("mnist", "learnsym data fetch"), config("name: mnist"), HERE),
    Bad("train on corrupt data", TRAIN, (IMAGES,), {**config("name: mnist"), IMAGES: b"", LABELS: b""}, HERE),
    Bad("train on no molecules", TRAIN, ("ethanol", "data fetch"), config("name: ethanol, size: null"), HERE),
    Bad("infer nothing", "infer", ("SOURCE",)),
    Bad("infer without out", "infer digits", ("--out",)),
    Bad("infer unknown", "infer nothing --out o", ("data.name", "'nothing'", "digits")),
    Bad("infer text", "infer x.txt --out o", ("data.name", "x.txt"), {"x.txt": "words"}),
    Bad("infer no data", "infer mnist --out o", ("mnist", "learnsym data fetch"), environment=HERE),
    Bad("infer into a file", "infer digits --out o", ("o is a file",), {"o": "words"}),
    Bad("infer few examples", "infer digits --out o --examples 3", ("examples", "40")),
    Bad("infer sure of all", "infer digits --out o --level 1", ("level", "(0, 1)")),
    Bad("infer no steps", "infer digits --out o --steps 0", ("steps", "[1,")),
    Bad("infer unknown candidate", "infer digits --out o --only spin", ("only", "'spin'", "rotation")),
    Bad("infer unused layout", "infer digits --out o --data.layout nhw", ("data.layout", "leave it out")),
    Bad("infer a table", "infer x.npy --out o", ("x: got shape", "images"), {"x.npy": table}),
]
