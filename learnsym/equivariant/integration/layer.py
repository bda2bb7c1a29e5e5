"""Invariant integration: the mean of a function of a feature map over all motions of a group."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType, check_channels
from learnsym.equivariant.integration.kernel import IntegrationKernel
from learnsym.equivariant.integration.points import Neighbours


class InvariantIntegration(nn.Module):
    """The mean of a function of regular fields over a group and all shifts: invariant features to end a network.

        A[f](x) = ∫ f(g·x) dμ(g) = mean_{t, g} f(x_m(t + g u_p, g h_p) for all m, p)

    It takes the place of pooling over the group and the image. Pooling keeps the mean of each channel; this keeps means
    of functions of several pixels and orientations relative to each other, which tell more patterns apart and are just
    as invariant. Exact for elements that move pixels onto pixels; flips are the group D_1.

    Reference: Rath, Condurache, "Deep neural networks with efficient guaranteed invariances" (2023), arXiv 2303.01567;
    Schulz-Mirbach, "Invariant features for gray scale images" (1995).

    Args:
        kernel: the function `f`: `Monomials`, `WeightedSums` or `PointwiseMLP`, which knows the fields it takes.
        padding_mode: what lies outside of the image, "zeros" or "circular"; with the latter shifts by whole pixels are
            exact too.

    Raises:
        ValueError: for an unknown padding mode; in `forward`, for a number of channels that does not fit.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 3)
        >>> layer = ls.equivariant.InvariantIntegration(ls.equivariant.Monomials(fields, count=4))
        >>> layer(torch.rand(2, 12, 7, 7)).shape
        torch.Size([2, 12])
    """

    def __init__(self, kernel: IntegrationKernel, padding_mode: str = "zeros") -> None:
        super().__init__()
        self.integrand = kernel
        self.in_type = kernel.in_type
        self.out_type = FieldType.trivial(kernel.in_type.group, kernel.out_features)
        self.neighbours = Neighbours(kernel.in_type.group, kernel.points, padding_mode)

    def forward(self, x: Float[Tensor, "B c H W"]) -> Float[Tensor, "B F"]:
        """The invariant features."""
        check_channels(self.in_type, x)
        fields = self.integrand.prepared(x).unflatten(1, (self.in_type.fields, self.neighbours.order))
        return self.integrand(self.neighbours(fields)).mean((-3, -2, -1))

    def plain(self) -> nn.Module:
        """Convolutions, pointwise functions and a mean."""
        gather = self.neighbours.kernel().to(next(self.integrand.parameters()))
        outputs = self.integrand.plain(gather, self.neighbours.padding_mode)
        per_element = nn.Unflatten(1, (self.integrand.out_features, self.neighbours.order))
        return nn.Sequential(outputs, per_element, nn.AdaptiveAvgPool3d(1), nn.Flatten())

    def exact(self) -> InvariantIntegration:
        """The layer itself: it is exact."""
        return self

    def extra_repr(self) -> str:
        """Types."""
        return f"{self.in_type} -> {self.out_type}"
