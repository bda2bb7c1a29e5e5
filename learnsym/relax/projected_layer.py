"""Ordinary layers that know the projection onto equivariant ones, so that a penalty on weights needs no samples.

Legend of axes: `B` batch, `c` channels, `*S` pixels (none for a linear map).
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.equivariant.exact_layer import ExactLayer
from learnsym.equivariant.field_type import check_channels
from learnsym.equivariant.projection import kernel_distance, nearest_kernel, projected
from learnsym.relax.residual_pathway import POINT, share_degree, with_kernel


class ProjectedLayer(nn.Module):
    """An ordinary layer with the fields of an exact one, held near its projection by `terms.ProjectionPenalty`.

        W = P(W) + Q(W),    P(W) = E_g[s(g)^-1 W r(g)],    Q = 1 - P

    `P` is the orthogonal projection onto the equivariant kernels: the mean over a finite group, and for irreducible
    representations the mask of unequal blocks with averages inside of equal ones, at the cost of a product with the
    basis of kernels. With `r`, `s` orthogonal

        E_g |s(g)^-1 W r(g) - W|² = 2 |Q(W)|²,    |Q(W)| <= sup_g |s(g)^-1 W r(g) - W| <= 2 |Q(W)|

    the second in every norm that `r` and `s` keep. So `|Q(W)|` is the root mean square equivariance error over the
    group for white inputs, up to `sqrt(2)`. Of a steerable convolution `P` also removes what its basis cannot express.

    Reference: Berndt, Stühmer (2026), arXiv 2601.05028, for the penalty and the bounds; the identity is our own.

    Args:
        equivariant: `SteerableConv`, `GroupConv2d` or `EquivariantLinear`; the kernel starts as that of an ordinary
            layer, the bias stays that of the exact one.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> layer = ls.relax.ProjectedLayer(ls.equivariant.GroupConv2d(fields, fields, 3))
        >>> layer(torch.rand(2, 8, 5, 5)).shape, layer.departure().shape
        (torch.Size([2, 8, 3, 3]), torch.Size([8, 8, 3, 3]))
    """

    def __init__(self, equivariant: ExactLayer) -> None:
        super().__init__()
        self.in_type, self.out_type = equivariant.in_type, equivariant.out_type
        ordinary: Any = equivariant.plain()
        ordinary.reset_parameters()
        self.weight = nn.Parameter(ordinary.weight.detach().clone())
        self.equivariant = equivariant
        for weight in equivariant.weights.values():
            weight.requires_grad_(False)  # only the projection and the bias are asked for

    def kernel(self) -> Float[Tensor, "c_out c_in *S"]:
        """The kernel `W`."""
        return self.weight

    def projection(self) -> Float[Tensor, "c_out c_in *S"]:
        """`P(W)`."""
        return nearest_kernel(self.equivariant, self.weight)

    def departure(self) -> Float[Tensor, "c_out c_in *S"]:
        """`Q(W) = W - P(W)`."""
        return self.weight - self.projection()

    def forward(self, x: Float[Tensor, "B c_in *S"]) -> Float[Tensor, "B c_out *S_out"]:
        """The fields of the output."""
        check_channels(self.in_type, x)
        return self.equivariant.applied(x, self.weight)

    def plain(self) -> nn.Module:
        """One plain layer with the same kernel: the same function."""
        return with_kernel(self.equivariant, self.weight)

    def exact(self) -> ExactLayer:
        """The exact layer with the kernel `P(W)`."""
        return projected(self.equivariant, self.weight, self.equivariant.channel_bias())

    def distance(self) -> Float[Tensor, ""]:
        """What the projection removes: `|Q(W)| / |W|`."""
        return kernel_distance(self.equivariant, self.weight)

    def degrees(self, site: str) -> list[Degree]:
        """The share of the squared norm of the kernel that is equivariant: `|P(W)|² / |W|²`, 1 when exact."""
        share = 1 - float(self.distance().detach()) ** 2
        return [share_degree(site, self.equivariant, estimate=share, method="projected layer", **POINT)]

    def terms(self) -> tuple[str, ...]:
        """The penalty on what the projection removes."""
        return ("projection",)


def projected_layers(model: nn.Module) -> list[ProjectedLayer]:
    """The projected layers of a model, each once.

    Example:
        >>> from learnsym.relax.projected_layer import projected_layers
        >>> projected_layers(nn.Linear(2, 2))
        []
    """
    return [module for module in model.modules() if isinstance(module, ProjectedLayer)]
