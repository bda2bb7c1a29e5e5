"""PoseAxis: the one-parameter subgroup along which poses are inferred."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Generator, Group
from learnsym.symmetry import Symmetry

CELLS = 144
"""Cells of the grid of offsets on which posteriors are kept: 2.5° for a rotation."""


@dataclass(frozen=True)
class PoseAxis:
    """The subgroup `t -> exp(t G)` of one generator `G`, with the range of coordinates in which poses are looked for.

    A closed orbit (rotation) is covered whole; on an open one (translation, scale, shear) examples are moved by up to
    `reach` to each side, and poses are read within `window = 3/4 reach`, where every offset is seen from all moves.

    Args:
        symmetry: whose `on_input` moves examples.
        index: of the generator.
        reach: largest move to each side, as a coordinate; pi when the orbit is closed.
        closed: whether `exp(2 pi G)` is the identity.
    """

    symmetry: Symmetry
    index: int
    reach: float
    closed: bool

    @staticmethod
    def of(symmetry: Symmetry, generator: str, moves: float | None = None) -> PoseAxis:
        """The axis of a generator by its name.

        Args:
            symmetry: the symmetry.
            generator: name of a generator of its group.
            moves: largest move to each side in the unit of the generator, for open orbits; the cap when None.

        Raises:
            ValueError: for an unknown generator, or `moves` that are not positive or have no default.
        """
        group = symmetry.group
        names = [each.name for each in group.generators]
        if generator not in names:
            known = ", ".join(names) or "none"
            raise ValueError(f"generator: got {generator!r}, must be one of {known} of {group.name}")
        index = names.index(generator)
        chosen = group.generators[index]
        if _is_closed(group, index):
            return PoseAxis(symmetry, index, math.pi, True)
        reach = chosen.cap if moves is None else moves * chosen.per_unit
        if not 0 < reach < math.inf:
            raise ValueError(f"moves: got {moves}, must be > 0 and finite; give the largest move in {chosen.unit}")
        return PoseAxis(symmetry, index, reach, False)

    @property
    def generator(self) -> Generator:
        """The generator."""
        return self.symmetry.group.generators[self.index]

    @property
    def window(self) -> float:
        """Largest offset that is read, as a coordinate."""
        return self.reach if self.closed else 0.75 * self.reach

    @property
    def offsets(self) -> Float[Tensor, "G"]:
        """The grid of offsets: midpoints of equal cells of the window, shifted so that 0 is among them."""
        cells = CELLS if self.closed else CELLS + 1
        step = 2 * self.window / CELLS
        return (torch.arange(cells) - CELLS // 2) * step

    def elements(self, coordinate: Float[Tensor, "*B"]) -> Float[Tensor, "*B n n"]:
        """The elements `exp(t G)`."""
        coordinates = coordinate.new_zeros(*coordinate.shape, self.symmetry.group.dim)
        coordinates[..., self.index] = coordinate
        return self.symmetry.group.exp(coordinates)

    def move(self, x: Tensor, coordinate: Float[Tensor, "B"]) -> Tensor:
        """Each example moved by its own coordinate."""
        return self.symmetry.on_input(self.elements(coordinate.to(x)), x)


def _is_closed(group: Group, index: int) -> bool:
    turn = torch.zeros(group.dim, dtype=torch.float64)
    turn[index] = 2 * math.pi
    return bool(torch.allclose(group.exp(turn), group.identity(dtype=torch.float64), atol=1e-6))
