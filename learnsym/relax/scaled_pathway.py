"""A residual pathway whose free kernel has a fixed size and one gain.

Legend of axes: `B` batch, `c` channels, `*S` pixels (none for a linear map).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.exact_layer import ExactLayer
from learnsym.equivariant.field_type import check_channels
from learnsym.equivariant.projection import kernel_distance, nearest_kernel, projected
from learnsym.relax.gain import Gain, GainedLayer
from learnsym.relax.residual_pathway import with_kernel


class ScaledPathway(GainedLayer):
    """An exact layer plus a free kernel of fixed size behind one gain γ, which a chooser holds.

        W = A + γ sqrt(c_out) Q(F) / |Q(F)|,    Q(F) = F - P(F)

    `P` projects onto the kernels of the exact layer, so that neither branch does the work of the other, and `γ = 0`
    removes all that is not equivariant and nothing else. The free kernel has the norm of usual initial weights, entries
    of variance `1 / fan_in`: γ cannot fall while the free kernel grows, which a constraint on the gain of an
    unconstrained branch leaves open. The sum is one convolution, of the cost of a plain one. The bias stays exact.

    Reference: Manolache, Chamon, Niepert, "Learning (approximately) equivariant networks via constrained optimization"
    (2025), arXiv 2505.13631 (ACE), for an exact layer plus γ times a free one; projection and fixed norm are our own.

    Args:
        equivariant: `SteerableConv`, `GroupConv2d` or `EquivariantLinear`.
        start: γ at the start; a free kernel of the size of usual weights at 1.

    Raises:
        ValueError: for a layer that holds every kernel, of which nothing can be relaxed, or a start that is not finite.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> layer = ls.relax.ScaledPathway(ls.equivariant.GroupConv2d(fields, fields, 3), start=0.0)
        >>> bool(layer.distance() < 1e-6)
        True
    """

    method = "scaled pathway"

    def __init__(self, equivariant: ExactLayer, *, start: float = 1.0) -> None:
        super().__init__()
        kernel = equivariant.kernel().detach()
        if not leaves_room(equivariant):
            raise ValueError(
                f"equivariant: every kernel from {equivariant.in_type} to {equivariant.out_type} is equivariant, so "
                "nothing can be relaxed; take the layer itself"
            )
        self.in_type, self.out_type = equivariant.in_type, equivariant.out_type
        self.equivariant = equivariant
        self.free = nn.Parameter(torch.randn_like(kernel))
        self.gain = Gain(start)

    @property
    def group_name(self) -> str:
        return str(self.in_type.group)

    def broken(self) -> Float[Tensor, "c_out c_in *S"]:
        """The free kernel before the gain, orthogonal to the equivariant ones and of norm `sqrt(c_out)`."""
        # F -> Q(F)
        q = self.departure(self.free)
        # Q(F) -> sqrt(c_out) Q(F) / |Q(F)|
        return q * (len(q) ** 0.5 / q.square().sum().clamp(min=torch.finfo(q.dtype).tiny).sqrt())

    def kernel(self) -> Float[Tensor, "c_out c_in *S"]:
        """The sum of both kernels."""
        return self.equivariant.kernel() + self.gain() * self.broken()

    def forward(self, x: Float[Tensor, "B c_in *S"]) -> Float[Tensor, "B c_out *S_out"]:
        """The fields of the output."""
        check_channels(self.in_type, x)
        return self.equivariant.applied(x, self.kernel())

    def relative_size(self) -> Float[Tensor, ""]:
        exact = self.equivariant.kernel().square().sum()
        return self.gain().abs() * (len(self.free) / exact.clamp(min=torch.finfo(exact.dtype).tiny)).sqrt()

    def observed(self, inputs: Sequence[Any], outputs: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        return inputs[0].detach(), outputs

    def correlation(self, x: Tensor, gradient: Tensor) -> Float[Tensor, "c_out c_in *S"]:
        with torch.enable_grad():
            kernel = torch.zeros_like(self.free, requires_grad=True)
            return torch.autograd.grad(self.equivariant.applied(x, kernel), kernel, gradient)[0]

    def departure(self, weights: Float[Tensor, "c_out c_in *S"]) -> Float[Tensor, "c_out c_in *S"]:
        return weights - nearest_kernel(self.equivariant, weights)

    def plain(self) -> nn.Module:
        """One plain layer with the sum as its kernel: the same function."""
        return with_kernel(self.equivariant, self.kernel())

    def exact(self) -> ExactLayer:
        """The exact layer alone, which has the kernel nearest to the sum."""
        return projected(self.equivariant, self.equivariant.kernel(), self.equivariant.channel_bias())

    def distance(self) -> Float[Tensor, ""]:
        """What the projection removes: `|W - P W| / |W|`."""
        return kernel_distance(self.equivariant, self.kernel())


def leaves_room(layer: ExactLayer) -> bool:
    """Whether there is a kernel that is not equivariant.

    Example:
        >>> scalars = ls.equivariant.FieldType.trivial(ls.groups.Cyclic(4), 2)
        >>> from learnsym.relax.scaled_pathway import leaves_room
        >>> leaves_room(ls.equivariant.EquivariantLinear(scalars, scalars))
        False
    """
    return sum(weight.numel() for weight in layer.weights.values()) < layer.kernel().numel()
