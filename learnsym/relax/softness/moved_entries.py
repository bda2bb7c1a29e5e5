"""How a group moves the entries of a parameter: pixels of a kernel, rows of a table of positions, a matrix.

Legend of axes: `R` generators, `d` entries that are moved together, `*N` independent copies of them.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.equivariant.lattice.orbits import moved_pixels
from learnsym.groups import Group
from learnsym.relax.softness.speeds import Directions, check_group, generating_elements, moving_directions
from learnsym.representations import Representation, tensor_product

MOST = 4096
"""Most entries that are moved together: their directions are a dense matrix of as many rows."""


class MovedEntries(abc.ABC):
    """How a group moves the entries of one parameter, which it leaves fixed exactly when a layer is equivariant.

    They are frozen dataclasses, which compare and hash by value.
    """

    @property
    @abc.abstractmethod
    def together(self) -> int:
        """Number `d` of the entries that are moved together."""

    @abc.abstractmethod
    def differences(self, group: Group) -> Float[Tensor, "R d d"]:
        """What each generator of a group does to the entries: `T(g) - I`, or `dT(A)`."""

    @abc.abstractmethod
    def entries(self, parameter: Tensor) -> Float[Tensor, "*N d"]:
        """The entries that are moved together in the last axis."""

    @abc.abstractmethod
    def put(self, parameter: Tensor, entries: Float[Tensor, "*N d"]) -> Tensor:
        """The parameter with other entries: `put(p, entries(p))` is `p`."""


@dataclass(frozen=True)
class KernelPixels(MovedEntries):
    """The pixels of a square kernel `(c_out, c_in, k, k)` between channels that stay.

    Args:
        size: `k`.
    """

    size: int

    @property
    def together(self) -> int:
        """`k k`."""
        return self.size**2

    def differences(self, group: Group) -> Float[Tensor, "R d d"]:
        """Quarter turns and flips permute pixels."""
        return lattice_differences(group, self.size)

    def entries(self, parameter: Tensor) -> Float[Tensor, "*N d"]:
        """One kernel for each pair of channels."""
        return parameter.flatten(-2)

    def put(self, parameter: Tensor, entries: Float[Tensor, "*N d"]) -> Tensor:
        """Pixels back in rows."""
        return entries.view_as(parameter)


@dataclass(frozen=True)
class TokenGrid(MovedEntries):
    """The rows of a table of positions `(*, prefix + n n, D)`, one for each token of a square grid.

    Args:
        size: `n`.
        prefix: rows before those of the grid, such as that of a class token, which stay.
    """

    size: int
    prefix: int = 0

    @property
    def together(self) -> int:
        """`n n`."""
        return self.size**2

    def differences(self, group: Group) -> Float[Tensor, "R d d"]:
        """Quarter turns and flips permute tokens."""
        return lattice_differences(group, self.size)

    def entries(self, parameter: Tensor) -> Float[Tensor, "*N d"]:
        """One grid for each feature."""
        return parameter[..., self.prefix :, :].mT

    def put(self, parameter: Tensor, entries: Float[Tensor, "*N d"]) -> Tensor:
        """The rows of the prefix, then those of the grid."""
        return torch.cat([parameter[..., : self.prefix, :], entries.mT], -2)


@dataclass(frozen=True)
class MapEntries(MovedEntries):
    """The entries of a linear map `W (c_out d_out, c_in d_in)` between copies of two representations.

        T(g) vec W = vec(ρ_out(g) W ρ_in(g)ᵀ)

    A bias `(c_out d_out)` is such a map from the trivial representation.

    Args:
        source, target: `ρ_in` and `ρ_out`, of one group; channels are in the order (copy, component).
    """

    source: Representation
    target: Representation

    @property
    def together(self) -> int:
        """`d_out d_in`."""
        return self.target.size * self.source.size

    def differences(self, group: Group) -> Float[Tensor, "R d d"]:
        """Matrices at generating elements less the identity, and derivatives along the generators of the algebra."""
        wrong = [str(rep.group) for rep in (self.source, self.target) if rep.group != group]
        if wrong:
            raise ValueError(
                f"parameters: got a map of representations of {wrong[0]}, must be of {group}; make them so"
            )

        def moved(g: Tensor) -> Tensor:
            return tensor_product(self.target(g), self.source(g))

        elements = group.components[list(generating_elements(group))] if group.order else group.components[1:]
        finite = moved(elements) - torch.eye(self.together, dtype=torch.float64)
        if not group.dim:
            return finite
        origin = torch.zeros(group.dim, dtype=torch.float64)
        # T(exp a) -> dT(A_r)
        derivative = torch.func.jacfwd(lambda a: moved(group.exp(a)[None])[0])(origin).movedim(-1, 0)
        return torch.cat([derivative, finite])

    def entries(self, parameter: Tensor) -> Float[Tensor, "*N d"]:
        """One matrix for each pair of copies."""
        matrix = parameter.reshape(len(parameter), -1)
        blocks = matrix.unflatten(1, (-1, self.source.size)).unflatten(0, (-1, self.target.size))
        return blocks.transpose(1, 2).flatten(2)

    def put(self, parameter: Tensor, entries: Float[Tensor, "*N d"]) -> Tensor:
        """Matrices back in blocks."""
        blocks = entries.unflatten(2, (self.target.size, self.source.size)).transpose(1, 2)
        return blocks.reshape(parameter.shape)


@lru_cache
def directions_of(moved: MovedEntries, group: Group) -> Directions:
    """The directions of the entries of a parameter in which a group moves them.

    Raises:
        ValueError: for a group that cannot move them, or too many entries.
    """
    check_group(group)
    if moved.together > MOST:
        raise ValueError(
            f"parameters: got {moved.together} entries that move together in {moved}, must be at most {MOST}; leave "
            "this parameter out, or take fewer tokens"
        )
    return moving_directions(moved.differences(group))


def lattice_differences(group: Group, size: int) -> Float[Tensor, "R d d"]:
    """`P(g) - I` for generating elements of a group that permutes the pixels of a square grid."""
    if group.space != "plane" or group.order is None or bool((group.components != group.components.round()).any()):
        raise ValueError(
            f"group: got {group}, which does not map pixels to pixels, must be C_2, C_4, D_1, D_2 or D_4; take C_4"
        )
    moved = moved_pixels(group, size)[list(generating_elements(group))]
    eye = torch.eye(size**2, dtype=torch.float64)
    # column n of P(g) is the unit vector of the pixel to which g moves n
    return eye[moved].mT - eye
