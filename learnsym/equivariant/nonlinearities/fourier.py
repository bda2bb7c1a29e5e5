"""Fourier nonlinearity: fields as functions on the group, a pointwise function of their values.

Legend of axes: `B` batch, `f` functions, `D` coefficients of each, `K` elements, `n` size of matrices, `*S` pixels.
"""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.equivariant.nonlinearities.grid import grid
from learnsym.groups import Group
from learnsym.representations import Irrep, irreps


class FourierNonlinearity(nn.Module):
    """Band-limited functions on a group, sampled on a grid, through a pointwise function, and projected back.

        f(g) = Σ_ψ sqrt(d_ψ) Σ_ij c_ij ψ_ij(g),    c -> A⁺ a(A c),    A the harmonics at the elements of the grid

    Each column `c_·j` is a field `ψ`. Exact for finite groups, and for the elements that map the pixel grid onto
    itself, since these permute the elements of the grid; for others the error falls as the grid gets finer.

    Args:
        group: C_N, D_N, SO(2), O(2), SO(3) or O(3).
        channels: number `f` of functions.
        band_limit: highest frequency; all of a finite group when None.
        activation: `a`.
        points: orbits of lattice rotations in the grid: 4 angles each in the plane, 24 rotations each in space (not
            used for a finite group); when None, as many as hold at least twice the number of coefficients.

    Raises:
        ValueError: for no band limit on a Lie group, or fewer elements than coefficients.

    Reference: Cesa, Lang, Weiler, "A program to build E(N)-equivariant steerable CNNs" (2022).

    Example:
        >>> ls.equivariant.FourierNonlinearity(ls.groups.SO2(), 3, band_limit=2)
        FourierNonlinearity(
          SO(2): 3 x irrep 0 + 3 x irrep 1 + 3 x irrep 2, elements=12
          (activation): ELU(alpha=1.0)
          (values): Constant((12, 5))
          (projection): Constant((5, 12))
        )
    """

    def __init__(
        self,
        group: Group,
        channels: int,
        band_limit: int | None = None,
        activation: nn.Module | None = None,
        points: int | None = None,
    ) -> None:
        super().__init__()
        parts = irreps(group, band_limit)
        self.channels = channels
        self.in_type = self.out_type = FieldType(group, tuple((psi, channels * psi.columns) for psi in parts))
        self.sections = self.in_type.sections()
        self.activation = nn.ELU() if activation is None else activation
        elements = grid(group, sum(psi.size * psi.columns for psi in parts), points)
        values = torch.cat([_columns(psi, elements) for psi in parts], -1)
        self.values, self.projection = Constant(values), Constant(torch.linalg.pinv(values))

    def forward(self, x: Tensor) -> Tensor:
        """The coefficients of the functions after `a`, `(B, c, *S)` from `(B, c, *S)`."""
        check_channels(self.in_type, x)
        split = [x[:, channels].unflatten(1, (self.channels, -1)) for _, _, channels in self.sections]
        f = torch.einsum("kd,bfd...->bfk...", self.values().to(x.dtype), torch.cat(split, 2))
        c = torch.einsum("dk,bfk...->bfd...", self.projection().to(x.dtype), self.activation(f).to(x.dtype))
        return torch.cat([part.flatten(1, 2) for part in c.split([part.shape[2] for part in split], 2)], 1)

    def plain(self) -> nn.Module:
        """A copy: two fixed matrices and operations of torch."""
        return copy.deepcopy(self)

    def extra_repr(self) -> str:
        """Type and grid."""
        return f"{self.in_type}, elements={len(self.values.value)}"


def _columns(psi: Irrep, elements: Float[Tensor, "K n n"]) -> Float[Tensor, "K D"]:
    """Entries of an irreducible representation, column by column: each column is a field."""
    return psi.size**0.5 * psi(elements)[..., : psi.columns].mT.flatten(1)
