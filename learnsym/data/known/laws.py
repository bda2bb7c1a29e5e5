"""Laws of moves: each example is moved once, by an element of a group that is drawn from a stated law."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.dataset import Dataset
from learnsym.data.seeding import generator as seeded
from learnsym.symmetry import Symmetry, SymmetryLike, as_symmetry

STREAM = 23


@dataclass(frozen=True, kw_only=True)
class Law:
    """A coordinate along a generator: one of `modes` at random, plus U(-width, width) or N(0, width²).

    Example:
        >>> a = ls.data.known.Law(width=10.0, modes=(0.0, 90.0)).draw(100, torch.Generator().manual_seed(0))
        >>> bool(((a.abs() <= 10) | ((a - 90).abs() <= 10)).all())
        True
    """

    width: float = 0.0
    modes: tuple[float, ...] = (0.0,)
    shape: Literal["box", "normal"] = "box"

    def draw(self, n: int, random: torch.Generator) -> Float[Tensor, "N"]:
        """Coordinates in the unit of the generator."""
        noise = torch.randn(n, generator=random)
        if self.shape == "box":
            noise = 2.0 * torch.rand(n, generator=random) - 1.0
        mode = torch.tensor(self.modes)[torch.randint(len(self.modes), (n,), generator=random)]
        return mode + self.width * noise


@dataclass(frozen=True)
class Along:
    """Moves examples along one generator, `g = exp(a T)`, with `a` from a law.

    Args:
        symmetry: whose action moves the inputs.
        generator: name of the generator.
        law: of the coordinate.
        centre: of the moves of images, in halves of the side from the middle.
    """

    symmetry: SymmetryLike
    generator: str
    law: Law
    centre: tuple[float, float] = (0.0, 0.0)

    def __call__(self, dataset: Dataset, seed: int) -> Dataset:
        """The moved examples."""
        return self.by(dataset, self.law.draw(len(dataset), seeded(seed, STREAM)))

    def by(self, dataset: Dataset, a: Float[Tensor, "N"]) -> Dataset:
        """The examples moved by given coordinates, in the unit of the generator."""
        symmetry = as_symmetry(self.symmetry)
        return moved(dataset, symmetry, about(elements_along(symmetry, self.generator, a), self.centre))


@dataclass(frozen=True)
class Among:
    """Moves examples by elements of a finite subgroup, each as likely as the others: their law is closed under it."""

    symmetry: SymmetryLike
    elements: tuple[tuple[tuple[float, ...], ...], ...]
    """All elements of the subgroup, as matrices."""

    def __call__(self, dataset: Dataset, seed: int) -> Dataset:
        """The moved examples."""
        chosen = torch.randint(len(self.elements), (len(dataset),), generator=seeded(seed, STREAM))
        return moved(dataset, as_symmetry(self.symmetry), torch.tensor(self.elements)[chosen])


@dataclass(frozen=True)
class Everywhere:
    """Moves examples by the uniform law on a compact group: their law is closed under all of it."""

    symmetry: SymmetryLike

    def __call__(self, dataset: Dataset, seed: int) -> Dataset:
        """The moved examples."""
        symmetry = as_symmetry(self.symmetry)
        return moved(dataset, symmetry, symmetry.group.haar(len(dataset), generator=seeded(seed, STREAM)))


def elements_along(symmetry: Symmetry, generator: str, a: Float[Tensor, "N"]) -> Float[Tensor, "N n n"]:
    """`exp(a T)` for coordinates in the unit of a generator."""
    group = symmetry.group
    names = [part.name for part in group.generators]
    coordinates = torch.zeros(len(a), group.dim)
    coordinates[:, names.index(generator)] = a * group.generators[names.index(generator)].per_unit
    return group.exp(coordinates)


def about(g: Float[Tensor, "N n n"], centre: tuple[float, float]) -> Float[Tensor, "N n n"]:
    """Linear maps of the plane about another point than the middle: `t g t⁻¹`."""
    if centre == (0.0, 0.0):
        return g
    full = torch.eye(3).repeat(len(g), 1, 1)
    full[:, :2, :2] = g[:, :2, :2]
    point = torch.tensor(centre)
    full[:, :2, 2] = point - full[:, :2, :2] @ point
    return full


def moved(dataset: Dataset, symmetry: Symmetry, g: Float[Tensor, "N n n"]) -> Dataset:
    """Inputs moved by one element each; label maps move along."""
    x = dataset.inputs
    assert isinstance(x, Tensor)  # of bases alone, which are tensors
    return replace(dataset, x=symmetry.on_input(g.to(x), x))
