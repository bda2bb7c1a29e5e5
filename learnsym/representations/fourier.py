"""Functions on a compact group: `f(g) = Σ_ψ sqrt(d) Σ_ij c_ij ψ_ij(g)` (Peter and Weyl).

Legend of axes: `K` elements, `D` coefficients, `d` size of an irrep.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group
from learnsym.representations.irrep import Irrep, irreps


def harmonics(group: Group, g: Float[Tensor, "K n n"], band_limit: int | None = None) -> Float[Tensor, "K D"]:
    """Orthonormal functions on a group at the elements `g`: entries of irreps, times the root of their size.

    For irreps of complex type, rotations `R(mφ)` of C_N and SO(2), entries of the first column only, scaled alike.
    """
    return torch.cat([_entries(irrep, g) for irrep in irreps(group, band_limit)], -1)


def _entries(irrep: Irrep, g: Tensor) -> Tensor:
    return irrep.size**0.5 * irrep(g)[..., : irrep.columns].flatten(-2)
