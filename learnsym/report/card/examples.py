"""On which examples a symmetry card measures: a data set by name, a file of arrays, or the test set of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym.data import Dataset, Signature, load, load_splits
from learnsym.data.arrays import read_arrays
from learnsym.data.inputs import as_float, check_inputs
from learnsym.data.registry import registry
from learnsym.data.room import check_room
from learnsym.report.card.targets import NO_LABEL
from learnsym.symmetry import Symmetry, symmetry_by_name
from learnsym.training.config import RunConfig


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Inputs, and targets where there are any.

    Args:
        name: what tables call them.
        x: inputs: floats as they are, uint8 divided by 255, or bool, as `Dataset` takes them.
        y: targets, one per input.
        signature: how these data are moved, where it is known; by the symmetry's own default otherwise.
        rows: which row of their source each example is; None for the rows in order.

    Raises:
        ValueError: when the inputs are empty, not finite, of an unfit dtype or of another number than the targets.
    """

    name: str
    x: Tensor
    y: Tensor | None = None
    signature: Signature | None = None
    rows: Tensor | None = None

    def __post_init__(self) -> None:
        check_inputs(self.x)
        object.__setattr__(self, "x", as_float(self.x))
        if self.y is not None and (self.y.ndim == 0 or len(self.y) != len(self.x)):
            raise ValueError(f"y: got shape {tuple(self.y.shape)} for {len(self.x)} inputs x, must be one each")

    def row(self, index: int) -> int:
        """The row of the source that an example is."""
        return index if self.rows is None else int(self.rows[index])

    def symmetry(self, name: str) -> Symmetry:
        """The symmetry called `name` on these examples."""
        return symmetry_by_name(name) if self.signature is None else self.signature.symmetry(name)


def load_examples(
    source: str | None, count: int, *, size: int | None = None, seed: int = 0, config: RunConfig | None = None
) -> Examples:
    """Some examples of a data set, the same for the same seed.

    Args:
        source: a name that `learnsym data list` prints (its test set), a file `.npz` with arrays `x` and possibly `y`,
            or None for the test set of a run.
        count: at most so many.
        size: images are resized to `size x size` by bilinear interpolation; None leaves them.
        seed: determines which examples are chosen.
        config: the configuration of the run that is measured, if a run is measured.

    Raises:
        ValueError: when there are no such data, or the images of that size do not fit into memory; it names the remedy.
    """
    if size is not None and size < 1:
        raise ValueError(f"size: got {size}, must be >= 1 pixel; leave it out to keep the images as they are")
    everything = _all_examples(source, config)
    rows = torch.randperm(len(everything.x), generator=torch.Generator().manual_seed(seed))[:count]
    x, y = everything.x[rows], None if everything.y is None else everything.y[rows]
    return replace(everything, x=x if size is None else _resized(x, size), y=y, rows=rows)


def _resized(x: Tensor, size: int) -> Tensor:
    if x.ndim != 4:
        raise ValueError(f"size: got {size} for inputs of shape {tuple(x.shape)}, only images (B, C, H, W) are resized")
    check_room("size", (*x.shape[:2], size, size), x.element_size(), "choose a smaller size or fewer examples")
    return F.interpolate(x, (size, size), mode="bilinear", antialias=True)


def _all_examples(source: str | None, config: RunConfig | None) -> Examples:
    if source is None and config is not None:
        return _of_dataset(config.data.title, load_splits(config.data).test)
    if source is None:
        raise ValueError("data: got none; name a data set (learnsym data list) or a file .npz with an array x")
    if source.lower().endswith(".npz"):
        x, y = read_arrays(Path(source))
        return Examples(name=Path(source).name, x=x, y=y)
    if source not in registry and (Path(source).suffix or Path(source).exists()):
        kind = "a folder" if Path(source).is_dir() else "no file .npz"
        raise ValueError(f"data: {source} is {kind}; give a name of learnsym data list, or numpy.savez(path, x=x, y=y)")
    return _of_dataset(source, load(source, "test"))


def _of_dataset(name: str, data: Dataset) -> Examples:
    y = data.y if data.ignore is None else data.y.masked_fill(data.y == data.ignore, NO_LABEL)
    return Examples(name=name, x=data.inputs, y=y, signature=data.signature)
