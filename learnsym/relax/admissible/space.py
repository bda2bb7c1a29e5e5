"""The admissible values of a parameter, the equivariant ones, and what both have in common.

Legend of axes: `d` entries that are moved together, `K` directions that span the admissible values, `E` directions that
span those that are equivariant, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group
from learnsym.relax.softness.moved_entries import MovedEntries, directions_of
from learnsym.representations import basis_of

RANK = 1e-9
"""Singular values below this part of the largest one count as 0."""


@dataclass(frozen=True, eq=False)
class AdmissibleSpace:
    """The linear space `L` of the values that a parameter may have, and `E = L ∩ H_G`, the equivariant ones in it.

        L = { B c },    H_G = { w : T(g) w = w for all g },    E = { B c : B c in H_G }

    with `B` given, and `T` from how the group moves the entries. The parameter itself has the coordinates `c`.
    Gradient descent sees the geometry of `c`: it is that of `w` exactly when the columns of `B` are orthonormal.

    Reference: Nordenfors, Ohlsson, Flinth, "Optimization dynamics of equivariant and augmented neural networks" (2023),
    arXiv 2303.13458.

    Args:
        moved: how the group moves the entries of the parameter.
        group: the group.
        basis: `B (d, K)`, with columns that are linearly independent; the identity when None: everything is admissible.

    Raises:
        ValueError: for a basis that does not fit the entries, or whose columns depend on each other.

    Example:
        >>> pixels = ls.relax.KernelPixels(3)
        >>> cross = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
        >>> ls.relax.AdmissibleSpace.supported(pixels, ls.groups.Cyclic(4), cross)
        AdmissibleSpace: 5 of 9 directions admissible under C_4, 2 equivariant
    """

    moved: MovedEntries
    group: Group
    basis: Float[Tensor, "d K"] | None = None

    def __post_init__(self) -> None:
        if self.basis is None:
            return
        if self.basis.ndim != 2 or len(self.basis) != self.moved.together:
            raise ValueError(
                f"basis: got shape {tuple(self.basis.shape)}, must be ({self.moved.together}, K), a column for each "
                f"direction of {self.moved}"
            )
        if _rank(self.basis.double()) < self.basis.shape[1] or not self.basis.shape[1]:
            raise ValueError(
                f"basis: got {self.basis.shape[1]} columns of rank {_rank(self.basis.double())}, must be linearly "
                "independent, at least one; leave out what depends on others"
            )

    @staticmethod
    def supported(moved: MovedEntries, group: Group, support: Tensor) -> AdmissibleSpace:
        """The values that are 0 outside of a support: `B` has the unit vectors of its entries.

        Args:
            moved, group: as above.
            support: as many numbers as there are entries, in any shape; 0 where values must be 0.

        Raises:
            ValueError: for a support of another size, or an empty one.
        """
        flat = support.flatten().bool()
        if len(flat) != moved.together or not bool(flat.any()):
            raise ValueError(
                f"support: got shape {tuple(support.shape)} with {int(flat.sum())} entries, must have "
                f"{moved.together} numbers, as {moved} has, and one that is not 0"
            )
        return AdmissibleSpace(moved, group, torch.eye(len(flat), dtype=torch.float64)[:, flat])

    @cached_property
    def spanning(self) -> Float[Tensor, "d K"]:
        """`B`, in double precision."""
        eye = torch.eye(self.moved.together, dtype=torch.float64)
        return eye if self.basis is None else self.basis.detach().double().cpu()

    @cached_property
    def left_inverse(self) -> Float[Tensor, "K d"]:
        """`B⁺`, from values to the coordinates of the admissible value nearest to them."""
        return torch.linalg.pinv(self.spanning)

    @cached_property
    def admissible(self) -> Float[Tensor, "d d"]:
        """The orthogonal projection `Π_L`."""
        return self.spanning @ self.left_inverse

    @cached_property
    def equivariant(self) -> Float[Tensor, "d d"]:
        """The orthogonal projection `Π_G` onto `H_G`, the null space of all generators."""
        moving = directions_of(self.moved, self.group).basis
        return torch.eye(self.moved.together, dtype=torch.float64) - moving @ moving.mT

    @cached_property
    def along(self) -> Float[Tensor, "K E"]:
        """Orthonormal directions of the coordinates that stay in `E`: the null space of `(1 - Π_G) B`."""
        return self._split[0]

    @cached_property
    def across(self) -> Float[Tensor, "K R"]:
        """Orthonormal directions of the coordinates that leave `E`: what `along` leaves out."""
        return self._split[1]

    @cached_property
    def equivariant_basis(self) -> Float[Tensor, "d E"]:
        """An orthonormal basis of `E`, the same on all machines."""
        vectors = torch.linalg.qr(self.spanning @ self.along)[0]
        return basis_of(vectors @ vectors.mT, vectors.shape[1]).mT

    @property
    def is_orthonormal(self) -> bool:
        """Whether coordinates have the geometry of the values: `Bᵀ B = 1`."""
        gram = self.spanning.mT @ self.spanning
        return bool((gram - torch.eye(len(gram), dtype=gram.dtype)).abs().max() < 1e-6)

    def commutator(self) -> Float[Tensor, "d d"]:
        """`Π_L Π_G - Π_G Π_L`, which is 0 exactly when `L` and `H_G` are compatible."""
        return self.admissible @ self.equivariant - self.equivariant @ self.admissible

    def projection(self, parameter: Tensor) -> Tensor:
        """`Π_E w`: the admissible equivariant value nearest to a parameter."""
        entries, basis = self.moved.entries(parameter), self.equivariant_basis.to(parameter)
        return self.moved.put(parameter, (entries @ basis) @ basis.mT)

    def coordinates(self, parameter: Tensor) -> Tensor:
        """The coordinates `(*N, K)` of the admissible value nearest to a parameter."""
        return self.moved.entries(parameter) @ self.left_inverse.to(parameter).mT

    def exact(self) -> AdmissibleSpace:
        """The space `E` itself, in orthonormal coordinates.

        Raises:
            ValueError: when 0 is the only admissible equivariant value.
        """
        if not self.along.shape[1]:
            raise ValueError(f"basis: 0 is the only equivariant value of {self.moved}; give more directions")
        return AdmissibleSpace(self.moved, self.group, self.equivariant_basis)

    def __repr__(self) -> str:
        d, k = self.spanning.shape
        return (
            f"AdmissibleSpace: {k} of {d} directions admissible under {self.group}, {self.along.shape[1]} equivariant"
        )

    @cached_property
    def _split(self) -> tuple[Tensor, Tensor]:
        moved = self.spanning - self.equivariant @ self.spanning
        _, _, rows = torch.linalg.svd(moved, full_matrices=True)
        rank = _rank(moved, float(torch.linalg.matrix_norm(self.spanning, 2)))
        along, across = (basis_of(each.mT @ each, len(each)).mT for each in (rows[rank:], rows[:rank]))
        return along, across


def _rank(matrix: Tensor, scale: float | None = None) -> int:
    """The number of singular values that are not 0, beside the largest one or a given scale."""
    values = torch.linalg.svdvals(matrix)
    if not len(values):
        return 0
    return int((values > RANK * (float(values.max()) if scale is None else scale)).sum())
