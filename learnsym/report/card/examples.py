"""On which examples a symmetry card measures: a data set by name, a file of arrays, or the test set of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from learnsym.data import Dataset, Signature, load, load_splits
from learnsym.symmetry import Symmetry, symmetry_by_name
from learnsym.training.config import RunConfig


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Inputs, and targets where there are any."""

    name: str
    x: Tensor
    y: Tensor | None = None
    signature: Signature | None = None
    """How these data are moved, where it is known; by the symmetry's own default otherwise."""

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
        ValueError: when there are no such data; it names the remedy.
    """
    everything = _all_examples(source, config)
    chosen = torch.randperm(len(everything.x), generator=torch.Generator().manual_seed(seed))[:count]
    x, y = everything.x[chosen], None if everything.y is None else everything.y[chosen]
    if size is not None:
        if x.ndim != 4:
            raise ValueError(
                f"size: got {size} for inputs of shape {tuple(x.shape)}, only images (B, C, H, W) are resized"
            )
        x = F.interpolate(x, (size, size), mode="bilinear", antialias=True)
    return replace(everything, x=x, y=y)


def _all_examples(source: str | None, config: RunConfig | None) -> Examples:
    if source is None and config is not None:
        return _of_dataset(config.data.title, load_splits(config.data).test)
    if source is None:
        raise ValueError("data: got none; name a data set (learnsym data list) or a file .npz with an array x")
    if source.endswith(".npz"):
        return _of_file(Path(source))
    return _of_dataset(source, load(source, "test"))


def _of_dataset(name: str, data: Dataset) -> Examples:
    return Examples(name=name, x=data.inputs, y=data.y, signature=data.signature)


def _of_file(path: Path) -> Examples:
    try:
        with np.load(path) as arrays:
            tensors = {name: torch.from_numpy(arrays[name]) for name in arrays.files if name in ("x", "y")}
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"data: {path} cannot be read ({error}); save it with numpy.savez(path, x=x, y=y)") from error
    if "x" not in tensors:
        raise ValueError(f"data: {path} has no array x; save it with numpy.savez(path, x=x, y=y)")
    x, y = tensors["x"], tensors.get("y")
    x = x.float() / 255 if x.dtype == torch.uint8 else x.float()
    if y is not None and len(y) != len(x):
        raise ValueError(f"data: {path} has {len(y)} targets y for {len(x)} inputs x, must be one each")
    if y is not None:
        y = y.float() if y.is_floating_point() else y.long()
    return Examples(name=path.name, x=x, y=y)
