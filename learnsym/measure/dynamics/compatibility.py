"""Whether the admissible weights of a layer and its equivariant ones are compatible: the commutator of projections."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from learnsym.groups import Group
from learnsym.relax import AdmissibleSpace, FieldKernel, KernelPixels, MapEntries
from learnsym.relax.softness.moved_entries import MovedEntries
from learnsym.representations import Irrep, Representation

COMPATIBLE = 1e-6
"""Largest norm of a commutator that counts as 0."""


@dataclass(frozen=True)
class Compatibility:
    """How far the projections `Π_L` onto admissible and `Π_G` onto equivariant weights are from commuting."""

    commutator: float
    """The spectral norm of `Π_L Π_G - Π_G Π_L`, from 0 to 1/2."""
    orthonormal: bool
    """Whether the parametrisation of the admissible weights is orthonormal."""
    admissible: int
    """The dimension of `L`, for each copy of what moves together."""
    equivariant: int
    """That of `H_G`."""
    both: int
    """That of `E = L ∩ H_G`."""

    @property
    def compatible(self) -> bool:
        """Whether `Π_L Π_G = Π_G Π_L`."""
        return self.commutator < COMPATIBLE

    @property
    def invariant(self) -> bool:
        """Whether gradient flow on the augmented risk stays on `E`: compatible, in an orthonormal parametrisation."""
        return self.compatible and self.orthonormal

    def __str__(self) -> str:
        kind = "orthonormal" if self.orthonormal else "not orthonormal"
        return (
            f"{'compatible' if self.compatible else 'not compatible'}, |[Π_L, Π_G]| = {self.commutator:.3g}; {kind}; "
            f"{self.admissible} admissible, {self.equivariant} equivariant, {self.both} both"
        )


def compatibility(
    layer: nn.Module | AdmissibleSpace,
    group: Group | None = None,
    *,
    support: Tensor | None = None,
    basis: Tensor | None = None,
    source: Representation | None = None,
    target: Representation | None = None,
) -> Compatibility:
    """The norm of the commutator of `Π_L` and `Π_G` for the weight of a convolution or of a linear map.

        |[Π_L, Π_G]| = |Π_L Π_G - Π_G Π_L|

    It is `max sin θ cos θ` over the angles `θ` between `L` and `H_G`. When it is 0, a point of `E` is stationary for
    the augmented risk exactly when it is so for the risk of equivariant networks; when the parametrisation is
    orthonormal, too, gradient flow on the augmented risk that begins in `E` stays there. Otherwise augmentation may
    drive an equivariant network away from equivariance.

    Reference: Nordenfors, Ohlsson, Flinth (2023), arXiv 2303.13458, for compatibility and the statements; that its norm
    be read as a number is our own.

    Args:
        layer: `nn.Conv2d` or `nn.Linear`; or a space, which knows all of the rest.
        group: the group, of a layer.
        support: numbers in the shape of what moves together, such as `(k, k)` for a kernel between trivial channels, 0
            where weights must be 0; everything is admissible when neither this nor a basis is given.
        basis: `B (d, K)`, instead of a support.
        source, target: how the group moves one field of the channels in and out, of which there may be many copies;
            trivial when None.

    Raises:
        ValueError: for another layer, a kernel that is not square, channels that are no copies of the fields, or both
            of support and basis.

    Example:
        >>> skew = torch.tensor([[1, 1, 0], [1, 0, 1], [0, 1, 0]])
        >>> print(ls.measure.compatibility(nn.Conv2d(1, 8, 3), ls.groups.Cyclic(4), support=skew))
        not compatible, |[Π_L, Π_G]| = 0.433; orthonormal; 5 admissible, 3 equivariant, 1 both
    """
    space = layer if isinstance(layer, AdmissibleSpace) else _space(layer, group, support, basis, source, target)
    if isinstance(layer, AdmissibleSpace) and any(each is not None for each in (group, support, basis, source, target)):
        raise ValueError("layer: got a space with more arguments, must be alone; it knows its group and its basis")
    return Compatibility(
        commutator=float(torch.linalg.matrix_norm(space.commutator(), 2)),
        orthonormal=space.is_orthonormal,
        admissible=space.spanning.shape[1],
        equivariant=int(space.equivariant.trace().round()),
        both=space.along.shape[1],
    )


def _space(
    layer: nn.Module,
    group: Group | None,
    support: Tensor | None,
    basis: Tensor | None,
    source: Representation | None,
    target: Representation | None,
) -> AdmissibleSpace:
    if group is None:
        raise ValueError("group: got None for a layer, must be the group; give one such as ls.groups.Cyclic(4)")
    if support is not None and basis is not None:
        raise ValueError("support, basis: got both, must be one of them; a basis has zeros where weights must be 0")
    moved = _moved(layer, source or Irrep(group, 0), target or Irrep(group, 0))
    return AdmissibleSpace(moved, group, basis) if support is None else AdmissibleSpace.supported(moved, group, support)


def _moved(layer: nn.Module, source: Representation, target: Representation) -> MovedEntries:
    """How the group moves the weight of a layer."""
    if not isinstance(layer, nn.Conv2d | nn.Linear):
        raise ValueError(
            f"layer: got {type(layer).__name__}, must be nn.Conv2d, nn.Linear or an AdmissibleSpace; give the space of "
            "its parameter"
        )
    for name, channels, field in zip(("target", "source"), layer.weight.shape, (target, source), strict=False):
        if channels % field.size:
            raise ValueError(f"{name}: got fields of size {field.size} for {channels} channels, must divide them")
    if isinstance(layer, nn.Linear):
        return MapEntries(source, target)
    height, width = layer.kernel_size
    if height != width:
        raise ValueError(f"layer: its kernel is {height} x {width}, must be square; give the space of its parameter")
    if source.size == target.size == 1 and source == target:
        return KernelPixels(height)
    return FieldKernel(source, target, height)
