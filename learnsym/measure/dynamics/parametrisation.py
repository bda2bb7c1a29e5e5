"""Whether the weights of a layer have the geometry of its kernel."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from learnsym.equivariant.exact_layer import ExactLayer
from learnsym.relax import ProjectedLayer, Spanned


@dataclass(frozen=True)
class Parametrisation:
    """How much a change of the weights changes the kernel: between `low` and `high` times as much."""

    low: float
    high: float

    @property
    def condition(self) -> float:
        """`high / low`, 1 for orthonormal weights up to a common scale."""
        return self.high / self.low

    @property
    def orthonormal(self) -> bool:
        """Whether the gradient in the weights is the gradient in the kernel: `low = high = 1`."""
        return max(abs(self.low - 1), abs(self.high - 1)) < 1e-6


@torch.no_grad()
def parametrisation(layer: nn.Module) -> Parametrisation:
    """The smallest and the largest singular value of the map from the weights of a layer to its kernel.

    Gradient flow on weights `c` of a kernel `w = B c` moves the kernel by `-B Bᵀ ∇_w`, which is the projected gradient
    exactly when `Bᵀ B = 1`. Ordinary layers have `B = 1`. Of a layer that may leave its equivariant subspace this
    decides, beside compatibility, whether augmented training does leave it. An *exact* layer cannot leave it in any
    basis: there it only says at which relative rates its directions learn. The bases of `GroupConv2d` are orbits of
    entries, of norm `sqrt` of their sizes; those of `EquivariantLinear` have norm `sqrt(d_out)`; the rings of
    `SteerableConv` overlap. They keep this scale, which keeps the variance of the input at the start.

    Reference: Nordenfors, Ohlsson, Flinth (2023), arXiv 2303.13458, for why it matters.

    Args:
        layer: an exact layer, `relax.Spanned`, `relax.ProjectedLayer`, `nn.Conv2d`, `nn.Conv3d` or `nn.Linear`.

    Raises:
        ValueError: for another layer.

    Example:
        >>> fields = ls.equivariant.FieldType.trivial(ls.groups.Cyclic(4), 1)
        >>> found = ls.measure.parametrisation(ls.equivariant.GroupConv2d(fields, fields, 3))
        >>> round(found.low, 6), round(found.high, 6)  # the centre, and four sides or corners
        (1.0, 2.0)
    """
    if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear | ProjectedLayer):
        return Parametrisation(1.0, 1.0)
    if isinstance(layer, Spanned):
        values = torch.cat([torch.linalg.svdvals(space.spanning) for space in layer.spaces.values()])
    elif isinstance(layer, ExactLayer):
        values = torch.cat([_singular_values(layer, name) for name in layer.weights])
    else:
        raise ValueError(
            f"layer: got {type(layer).__name__}, must be an exact layer, relax.Spanned or ProjectedLayer, a "
            "convolution or a linear map; name one of them"
        )
    return Parametrisation(float(values.min()), float(values.max()))


def _singular_values(layer: ExactLayer, name: str) -> torch.Tensor:
    """Of the map from the weights of one pair of fields to their block."""
    weight = layer.weights[name]
    columns = []
    for k in range(weight.shape[2]):
        unit = torch.zeros_like(weight)
        unit[0, 0, k] = 1
        columns.append(layer.block(name, unit).flatten())
    return torch.linalg.svdvals(torch.stack(columns, 1).double().cpu())
