"""Probabilities of a likelihood by the elements of a finite subgroup, and those of a planted subgroup.

Legend of axes: `K` elements of a quadrature, `C` cells.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.groups import Group
from learnsym.relax.likelihood.likelihood import Likelihood

TIE = 1e-6


def cell_masses(likelihood: Likelihood, cells: Group) -> Float[Tensor, "C"]:
    """The probability that the nearest element of a finite subgroup is each of its elements.

    With it a smooth density over a Lie group can be compared with one on points, such as quarter turns. Elements
    half-way between cells count for both in equal parts.

    Raises:
        ValueError: when `cells` is not finite or no subgroup.

    Example:
        >>> ls.relax.cell_masses(ls.relax.Likelihood(ls.groups.SO2()), ls.groups.Cyclic(4)).detach()
        tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    _check(likelihood.group, cells)
    return likelihood.masses() @ _shares(likelihood.elements(), cells).to(likelihood.weights())


def planted_masses(subgroup: Group, cells: Group) -> Float[Tensor, "C"]:
    """The same probabilities for the uniform density of a subgroup of the group: of C_4 in the cells of D_8, say.

    Example:
        >>> ls.relax.planted_masses(ls.groups.Cyclic(2), ls.groups.Cyclic(4))
        tensor([0.5000, 0.0000, 0.5000, 0.0000], dtype=torch.float64)
    """
    members = subgroup if subgroup.order is not None else cells
    inside = members.components[subgroup.contains(members.components)]
    return _shares(inside.double(), cells).mean(0)


def _shares(elements: Float[Tensor, "K n n"], cells: Group) -> Float[Tensor, "K C"]:
    distances = torch.cdist(elements.double().flatten(1), cells.components.double().flatten(1))
    nearest = (distances <= distances.amin(1, keepdim=True) + TIE).double()
    return nearest / nearest.sum(1, keepdim=True)


def _check(group: Group, cells: Group) -> None:
    if cells.order is None or cells.n != group.n or not bool(group.contains(cells.components).all()):
        raise ValueError(f"cells: got {cells}, must be a finite subgroup of {group}, such as C_8 of SO(2)")
