"""What the actions ask of groups and data, one sentence of remedy for each."""

from __future__ import annotations

import torch
from torch import Tensor

from learnsym.groups import Group

ACTIONS_OF_SPACE = {
    "line": "PointCloud(dim=1) or PointVectors(dim=1)",
    "plane": "Image, LabelMap, VectorField or PointCloud(dim=2)",
    "space": "Volume, VectorField(dim=3), PointCloud, PointVectors, Cell, SymmetricTensor, Sphere or SphereLabels",
    "spacetime": "PointCloud(dim=4)",
    "channels": "Channels",
    "rgb": "RGB",
    "index": "Set, Pairs or Nodes",
    "product": "Product",
}


def check_space(action: object, group: Group, space: str) -> None:
    """The matrices of `group` must act on `space`."""
    if group.space != space:
        fitting = ACTIONS_OF_SPACE.get(group.space, "Invariant")
        raise ValueError(
            f"group: {type(action).__name__} needs a group that acts on '{space}', got {group.name}, which acts on "
            f"'{group.space}'; use the action {fitting}, or Invariant() for data that do not move"
        )


def check_size(action: object, group: Group, dim: int) -> None:
    """Matrices of `group` must be `dim x dim` (linear) or one larger (homogeneous affine)."""
    if group.n not in (dim, dim + 1):
        raise ValueError(
            f"group: {type(action).__name__} needs matrices of size {dim} (linear) or {dim + 1} (homogeneous), got "
            f"{group.name} with size {group.n}; embed its matrices in one of these"
        )


def check_batch(x: Tensor, shape: str) -> None:
    """`x` must have as many axes as the words of `shape` and at least one example."""
    if x.ndim != len(shape.split()):
        raise ValueError(f"x: got shape {tuple(x.shape)}, must be ({shape}); add or remove axes, batch first")
    if 0 in x.shape:
        raise ValueError(f"x: got shape {tuple(x.shape)}, which holds no data; give at least one example of ({shape})")


def check_floating(x: Tensor) -> None:
    """`x` must be a real floating-point tensor."""
    if not x.is_floating_point():
        raise ValueError(
            f"x: got {x.dtype}, must be floating point; convert with x.float() (and divide 8-bit images by 255)"
        )


AT_ONCE = 2**21
"""Values that are checked at a time: the copies that a check makes of all would be as large as the data."""


def check_finite(x: Tensor, name: str = "x") -> None:
    """Raise ValueError when a floating-point tensor holds NaN or infinity.

    It reads every value (on CUDA: it waits for the device), so call it once per data set rather than at each step.

    Example:
        >>> ls.actions.check_finite(torch.tensor([[0.0, float("nan")]]), "image")
        Traceback (most recent call last):
            ...
        ValueError: image: 1 of 2 values are NaN or infinite, first in example 0; repair or drop these examples
    """
    rows = max(1, AT_ONCE * len(x) // max(1, x.numel())) if x.ndim else 1
    if not all(bool(torch.isfinite(part).all()) for part in (x.split(rows) if x.ndim else (x,))):
        bad = (~torch.isfinite(x)).nonzero()
        where = f", first in example {int(bad[0, 0])}" if x.ndim else ""
        raise ValueError(
            f"{name}: {len(bad)} of {x.numel()} values are NaN or infinite{where}; repair or drop these examples"
        )
