"""Dataset: examples with their targets, checked once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from learnsym.actions import PointCloud, PointVectors
from learnsym.data.inputs import Inputs, as_float, check_inputs, count, first_part, kept, moving_part, on, taken
from learnsym.data.rows import Rows
from learnsym.data.signature import Signature
from learnsym.parts import tensors_in


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and targets, with what is known about them.

    Args:
        x: inputs `(N, ...)`: floating, as they are; uint8, which `Batches` divides by 255; or bool, taken as 0 and 1. A
            tensor, `Rows` of a file that is larger than the memory, or, for a model with several inputs, a dict or
            tuple of tensors.
        y: targets: labels `(N,)`, label maps `(N, H, W)`, or real numbers when `classes` is 0; `(N, 0)` for none.
        name: name of the data set.
        classes: number of classes, 0 for a regression.
        class_names: their names, for figures.
        ignore: a label that stands for "no label" (void pixels), or None.
        variant: how these examples differ from the published ones, in words; empty when they do not.
        on_input: what the points of a cloud carry, None for data that are no clouds.
        on_output: what the targets of a point carry.
        moves: which of several inputs a symmetry moves, by its key; the first where it is empty.
        energy_reference: of molecules whose targets are forces and energies: the energy per atom, in eV, that is taken
            off the targets; None for all other data.
        on_sphere: whether images are pictures of the sphere on an equiangular grid, see `actions.Sphere`.
        notes: what was guessed, converted or found odd when the examples were read, in sentences.
        fingerprint: a digest of the files that they were read from; empty for data sets with a name.
        planted: coordinates `(N, 5)` of the transformation planted in each example, see `plant`: for tests, never read
            by a learner.

    Raises:
        ValueError: when the set is empty, not finite, of an unfit dtype or length, or has a label out of range.

    Example:
        >>> data = ls.data.Dataset(torch.rand(6, 1, 8, 8), torch.arange(6) % 3, "noise", classes=3)
        >>> len(data), data.in_shape
        (6, (1, 8, 8))
    """

    x: Inputs
    y: Tensor
    name: str = "data"
    classes: int = 0
    class_names: tuple[str, ...] = ()
    ignore: int | None = None
    variant: str = ""
    on_input: PointCloud | None = None
    on_output: PointCloud | PointVectors | None = None
    moves: str = ""
    energy_reference: float | None = None
    on_sphere: bool = False
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    planted: Tensor | None = None

    def __post_init__(self) -> None:
        check_inputs(self.x, self.moves)
        object.__setattr__(self, "moves", self.moves or first_part(self.x))
        if len(self.y) != len(self):
            raise ValueError(f"y: got {len(self.y)} targets for {len(self)} inputs; give one target per example")
        if self.planted is not None and len(self.planted) != len(self):
            raise ValueError(f"planted: got {len(self.planted)} rows for {len(self)} inputs; give one per example")
        self._check_clouds()
        if self.classes:
            object.__setattr__(self, "y", _labels(self.y, self.classes, self.ignore))
        elif self.y.is_floating_point() and not torch.isfinite(self.y).all():
            raise ValueError("y: contains NaN or infinity; remove or repair those targets")

    def _check_clouds(self) -> None:
        if (self.on_input is None) != (self.on_output is None):
            raise ValueError("on_input, on_output: only one of them is given; clouds need both, other data neither")
        for name, types, values in (("x", self.on_input, self.moving), ("y", self.on_output, self.y)):
            if types is not None and (values.dim() != 3 or values.shape[-1] != types.features):
                raise ValueError(
                    f"{name}: got shape {tuple(values.shape)}, must be (N, points, {types.features}) for {types}"
                )

    def __len__(self) -> int:
        return count(self.x)

    @property
    def moving(self) -> Tensor | Rows:
        """The inputs that a symmetry moves: all of them, or one of several."""
        return moving_part(self.x, self.moves)

    @property
    def in_shape(self) -> tuple[int, ...]:
        """Shape of one input, of that which moves where there are several."""
        return tuple(self.moving.shape[1:])

    @property
    def has_targets(self) -> bool:
        """Whether there is anything to predict."""
        return self.y.shape[1:] != (0,)

    @property
    def signature(self) -> Signature:
        """What a network must know of these data."""
        return Signature(
            in_shape=self.in_shape,
            classes=self.classes,
            on_input=self.on_input,
            on_output=self.on_output,
            moves=self.moves,
            on_sphere=self.on_sphere,
            shapes=self._shapes() if self.moves else (),
        )

    def _shapes(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        return tuple((key, tuple(part.shape[1:])) for key, part in tensors_in(self.x))

    @property
    def inputs(self) -> Inputs:
        """All inputs as floats."""
        return as_float(self.x)

    def batch(self, indices: Tensor) -> tuple[Inputs, Tensor]:
        """Inputs as floats and targets of the examples at `indices`, in memory."""
        return as_float(taken(self.x, indices)), self.y.index_select(0, indices)

    def subset(self, indices: Tensor) -> Dataset:
        """The examples at `indices`, in that order."""
        planted = None if self.planted is None else self.planted[indices]
        return replace(self, x=kept(self.x, indices), y=self.y[indices], planted=planted)

    def to(self, device: torch.device | str) -> Dataset:
        """The same examples on another device; those of a file go there batch by batch."""
        return replace(self, x=on(device, self.x), y=self.y.to(device))


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
