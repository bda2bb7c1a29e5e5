"""Weighted sums of the values at some points, and small networks on top of them."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.integration.kernel import IntegrationKernel, check_counts, check_regular
from learnsym.equivariant.integration.plain import plain_convolutions
from learnsym.equivariant.integration.points import Points


@final
class WeightedSums(IntegrationKernel):
    """Weighted sums of the values of all fields at some points, then a ReLU.

        f_o(v) = max(Σ_{m,p} w_omp v_mp + b_o, 0)

    Without the ReLU the integral would be a linear map of the mean of each field, whatever the points.

    Reference: Rath, Condurache, "Improving the sample-complexity of deep classification networks with invariant
    integration" (2022), arXiv 2202.03967.

    Args:
        in_type: regular fields.
        features: outputs.
        radius: points are the square of `2 radius + 1` pixels and every other element of the group at the pixel itself.

    Raises:
        ValueError: for fields that are not regular, or sizes out of range.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 3)
        >>> layer = ls.equivariant.InvariantIntegration(ls.equivariant.WeightedSums(fields, 16))
        >>> layer(torch.rand(2, 12, 8, 8)).shape
        torch.Size([2, 16])
    """

    def __init__(self, in_type: FieldType, features: int, radius: int = 1) -> None:
        super().__init__()
        check_regular(in_type)
        check_counts(features=features, radius=radius + 1)
        self.in_type, self.out_features = in_type, features
        self.points = Points.star(in_type.group, radius)
        self.weight, self.bias = _sums(features, in_type.fields, len(self.points))

    def forward(self, v: Float[Tensor, "B m P *R"]) -> Float[Tensor, "B F *R"]:
        """The sums."""
        return sums(v, self.weight, self.bias).relu()

    def plain(self, gather: Float[Tensor, "P G G k k"], padding_mode: str) -> nn.Module:
        """A convolution and a ReLU."""
        return plain_convolutions(as_kernel(self.weight, gather), padding_mode, self.bias, len(gather[0]))


@final
class PointwiseMLP(IntegrationKernel):
    """A perceptron with one hidden layer on the values of all fields at some points.

        f(v) = max(W_2 max(W_1 v + b_1, 0) + b_2, 0)

    Reference: Rath, Condurache, "Improving the sample-complexity of deep classification networks with invariant
    integration" (2022), arXiv 2202.03967.

    Args:
        in_type: regular fields.
        features: outputs.
        hidden: units of the hidden layer; as many as outputs when None.
        radius: as in `WeightedSums`.

    Raises:
        ValueError: for fields that are not regular, or sizes out of range.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Dihedral(4), 2)
        >>> layer = ls.equivariant.InvariantIntegration(ls.equivariant.PointwiseMLP(fields, 16, hidden=8))
        >>> layer(torch.rand(2, 16, 8, 8)).shape
        torch.Size([2, 16])
    """

    def __init__(self, in_type: FieldType, features: int, hidden: int | None = None, radius: int = 1) -> None:
        super().__init__()
        hidden = features if hidden is None else hidden
        check_regular(in_type)
        check_counts(features=features, hidden=hidden, radius=radius + 1)
        self.in_type, self.out_features = in_type, features
        self.points = Points.star(in_type.group, radius)
        self.weight, self.bias = _sums(hidden, in_type.fields, len(self.points))
        self.out_weight, self.out_bias = _sums(features, hidden, 1)

    def forward(self, v: Float[Tensor, "B m P *R"]) -> Float[Tensor, "B F *R"]:
        """The outputs of the perceptron."""
        hidden = sums(v, self.weight, self.bias).relu()
        return sums(hidden.unsqueeze(2), self.out_weight, self.out_bias).relu()

    def plain(self, gather: Float[Tensor, "P G G k k"], padding_mode: str) -> nn.Module:
        """A convolution, a ReLU, a 1x1 convolution, a ReLU."""
        order = len(gather[0])
        eye = torch.eye(order).to(gather)[None, :, :, None, None]
        return nn.Sequential(
            plain_convolutions(as_kernel(self.weight, gather), padding_mode, self.bias, order),
            plain_convolutions(as_kernel(self.out_weight, eye), padding_mode, self.out_bias, order),
        )


def sums(v: Float[Tensor, "B m P *R"], weight: Float[Tensor, "F m P"], bias: Float[Tensor, "F"]) -> Tensor:
    """`Σ_mp w_omp v_mp + b_o` on the axes `(B, F, *R)`."""
    out = torch.einsum("omp,bmpr->bor", weight, v.flatten(3))
    return (out + bias[:, None]).unflatten(2, v.shape[3:])


def as_kernel(weight: Float[Tensor, "F m P"], gather: Float[Tensor, "P G G k k"]) -> Float[Tensor, "F_G m_G k k"]:
    """Weighted sums of gathered values as one convolution."""
    return torch.einsum("omp,pghkl->ogmhkl", weight.to(gather), gather).flatten(2, 3).flatten(0, 1)


def _sums(features: int, fields: int, points: int) -> tuple[nn.Parameter, nn.Parameter]:
    weight = nn.Parameter(torch.empty(features, fields, points))
    nn.init.normal_(weight, std=(2 / (fields * points)) ** 0.5)
    return weight, nn.Parameter(torch.zeros(features))
