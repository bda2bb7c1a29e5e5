"""Dataset: examples in memory, checked once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from learnsym.actions import PointCloud, PointVectors
from learnsym.data.signature import Signature


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and targets as two tensors in memory, with what is known about them.

    Args:
        x: inputs `(N, ...)`: floating, as they are; uint8, which `Batches` divides by 255; or bool, taken as 0 and 1.
        y: targets: labels `(N,)`, label maps `(N, H, W)`, or real numbers when `classes` is 0.
        name: name of the data set.
        classes: number of classes, 0 for a regression.
        class_names: their names, for figures.
        ignore: a label that stands for "no label" (void pixels), or None.
        variant: how these examples differ from the published ones, in words; empty when they do not.
        on_input: what the points of a cloud carry, None for data that are no clouds.
        on_output: what the targets of a point carry.
        planted: coordinates `(N, 5)` of the transformation planted in each example, see `plant`: for tests, never read
            by a learner.

    Raises:
        ValueError: when the set is empty, not finite, of an unfit dtype or length, or has a label out of range.

    Example:
        >>> data = ls.data.Dataset(torch.rand(6, 1, 8, 8), torch.arange(6) % 3, "noise", classes=3)
        >>> len(data), data.in_shape
        (6, (1, 8, 8))
    """

    x: Tensor
    y: Tensor
    name: str = "data"
    classes: int = 0
    class_names: tuple[str, ...] = ()
    ignore: int | None = None
    variant: str = ""
    on_input: PointCloud | None = None
    on_output: PointCloud | PointVectors | None = None
    planted: Tensor | None = None

    def __post_init__(self) -> None:
        check_inputs(self.x)
        if len(self.y) != len(self.x):
            raise ValueError(f"y: got {len(self.y)} targets for {len(self.x)} inputs; give one target per example")
        if self.planted is not None and len(self.planted) != len(self.x):
            raise ValueError(f"planted: got {len(self.planted)} rows for {len(self.x)} inputs; give one per example")
        self._check_clouds()
        if self.classes:
            object.__setattr__(self, "y", _labels(self.y, self.classes, self.ignore))
        elif self.y.is_floating_point() and not torch.isfinite(self.y).all():
            raise ValueError("y: contains NaN or infinity; remove or repair those targets")

    def _check_clouds(self) -> None:
        if (self.on_input is None) != (self.on_output is None):
            raise ValueError("on_input, on_output: only one of them is given; clouds need both, other data neither")
        for name, types, values in (("x", self.on_input, self.x), ("y", self.on_output, self.y)):
            if types is not None and (values.dim() != 3 or values.shape[-1] != types.features):
                raise ValueError(
                    f"{name}: got shape {tuple(values.shape)}, must be (N, points, {types.features}) for {types}"
                )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def in_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.x.shape[1:])

    @property
    def signature(self) -> Signature:
        """What a network must know of these data."""
        return Signature(in_shape=self.in_shape, classes=self.classes, on_input=self.on_input, on_output=self.on_output)

    @property
    def inputs(self) -> Tensor:
        """All inputs as floats."""
        return as_float(self.x)

    def subset(self, indices: Tensor) -> Dataset:
        """The examples at `indices`, in that order."""
        planted = None if self.planted is None else self.planted[indices]
        return replace(self, x=self.x[indices], y=self.y[indices], planted=planted)

    def to(self, device: torch.device | str) -> Dataset:
        """The same examples on another device."""
        return replace(self, x=self.x.to(device), y=self.y.to(device))


def as_float(x: Tensor) -> Tensor:
    """Inputs as floats: uint8 divided by 255, bool as 0 and 1, floats as they are."""
    if x.dtype == torch.uint8:
        return x.float().div_(255.0)
    return x.float() if x.dtype == torch.bool else x


def check_inputs(x: Tensor) -> None:
    """Raise ValueError for inputs that are empty, not finite, or of a dtype whose range is not known."""
    if x.ndim < 2 or x.numel() == 0:
        raise ValueError(f"x: got shape {tuple(x.shape)}, empty or without batch axis; must be (N, ...) with N >= 1")
    if x.is_complex():
        raise ValueError(f"x: got dtype {x.dtype}, must be real; give its real and imaginary parts as channels")
    if x.dtype not in (torch.uint8, torch.bool) and not x.is_floating_point():
        raise ValueError(
            f"x: got dtype {x.dtype}, whose range is not known, must be uint8 (divided by 255), bool or floating; "
            "divide by its largest value and give floats"
        )
    if x.is_floating_point() and not torch.isfinite(x).all():
        bad = (~torch.isfinite(x.flatten(1)).all(1)).nonzero()[0].item()
        raise ValueError(f"x: contains NaN or infinity, first in example {bad}; remove or repair those examples")


def _labels(y: Tensor, classes: int, ignore: int | None) -> Tensor:
    if y.is_floating_point() or y.is_complex():
        raise ValueError(f"y: got dtype {y.dtype} with classes={classes}, must be integers; convert with y.long()")
    labels = y.long()
    counted = labels if ignore is None else labels[labels != ignore]
    if counted.numel() and (counted.min() < 0 or counted.max() >= classes):
        raise ValueError(
            f"y: labels lie in [{counted.min().item()}, {counted.max().item()}], must lie in [0, {classes - 1}]; "
            "number the classes from 0 or raise `classes`"
        )
    return labels
