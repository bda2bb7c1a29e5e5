"""Bad inputs of `learnsym data` and of data that configurations name."""

from __future__ import annotations

import gzip
from collections.abc import Callable
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


def text(x: np.ndarray, **others: np.ndarray) -> Callable[[Path], None]:
    """Writes a file of arrays."""
    return lambda path: np.savez(path.open("wb"), x=x, **others)  # type: ignore[arg-type]


PIXELS = np.zeros((9, 8, 8, 3), np.uint8)
UNCLEAR = np.zeros((9, 3, 32, 3), np.float32)
Y = np.arange(9) % 3
RAISES = "def make():\n    raise OSError('no disk')\n"


def table(path: Path) -> None:
    """Rows of numbers, which are neither images nor clouds."""
    np.save(path, np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32))


SMALL = '{"suite": "small", "level": 0.9}'

ROWS: list[Bad] = [
    Bad("describe nothing", "data describe", ("SOURCE",)),
    Bad("describe unknown", "data describe digit", ("'digit'", "digits", "file or folder of your own")),
    Bad("describe no file", "data describe d.npz", ("d.npz cannot be read", "check the path")),
    Bad("describe empty folder", "data describe pets/", ("holds no examples", ".png"), {"pets/notes.txt": "none"}),
    Bad("describe no folder", "data describe pets/", ("pets is not there", "folder of images by class")),
    Bad("describe a layout of no file", "data describe digits --data.layout nhwc", ("data.layout", "digits", "no use")),
    Bad("describe no layout", "data describe d.npz --data.layout hwn", ("invalid choice", "hwn")),
    Bad(
        "describe a layout to be said", "data describe d.npz", ("data.layout", "nchw or nhwc"), {"d.npz": text(UNCLEAR)}
    ),
    Bad("describe a file in place of a folder", "data describe d.npz --out d.npz", ("out", "file"), {"d.npz": "none"}),
    Bad("describe a function that raises", "data describe f.py:make", ("raises OSError: no disk",), {"f.py": RAISES}),
    Bad("describe no picture", "data describe pets/", ("a.png cannot be read", "repair"), {"pets/cat/a.png": "none"}),
    Bad(
        "train on labels from 1", TRAIN, ("run from 1 to 3",), {**config("name: d.npz"), "d.npz": text(PIXELS, y=Y + 1)}
    ),
    Bad("train without targets", TRAIN, ("data.y", "no targets"), {**config("name: d.npz"), "d.npz": text(PIXELS)}),
    Bad("train on no file", TRAIN, ("d.npz cannot be read",), config("name: d.npz")),
    Bad("train on a wrong key", TRAIN, ("data.x", "'pix'"), {**config("name: d.npz, x: pix"), "d.npz": text(PIXELS)}),
    Bad("train on a table of nothing", TRAIN, ("t.csv", "no column"), {**config("name: t.csv"), "t.csv": "a\n1\n"}),
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
    Bad("infer little memory", "infer digits --out o --memory 1M", ("memory: got 1M for 2 processes", "give ")),
    Bad("infer no memory", "infer digits --out o --memory 0", ("memory: got 0.0",)),
    Bad("infer no steps", "infer digits --out o --steps 0", ("steps", "[1,")),
    Bad("infer unknown candidate", "infer digits --out o --only spin", ("only", "'spin'", "rotation")),
    Bad("infer unused layout", "infer digits --out o --data.layout nhw", ("data.layout", "leave it out")),
    Bad("infer a table", "infer x.npy --out o", ("x: got shape", "images"), {"x.npy": table}),
    Bad("suite without out", "suite", ("--out",)),
    Bad("suite unknown size", "suite --out o --size huge", ("size", "huge", "smoke")),
    Bad("suite unknown task", "suite --out o --only spin", ("only", "'spin'", "rotation range")),
    Bad("suite unknown method", "suite --out o --methods spin", ("methods", "'spin'", "poses", "augerino")),
    Bad("suite unknown chooser", "suite --out o --choosers fate", ("choosers", "'fate'", "validation")),
    Bad("suite chooser of no method", "suite --out o --choosers gradnorm", ("choosers", "'gradnorm'", "augerino")),
    Bad("suite unknown half", "suite --out o --half third", ("half", "third", "judge")),
    Bad(
        "suite half without tasks", ["suite", "--out", "o", "--only", "forces: none", "--half", "calibrate"], ("half",)
    ),
    Bad("suite few held out", "suite --out o --level 0.999", ("level", "2000 held-out examples", "--size")),
    Bad("suite same seeds", "suite --out o --seeds 1 1", ("seeds", "[1, 1]", "differ")),
    Bad("suite in a folder of another", "suite --out o", ("out", "small", "smoke"), {"o/settings.json": SMALL}),
    Bad("suite in a folder of something", "suite --out o", ("out", "something else"), {"o/notes.txt": "mine"}),
]
