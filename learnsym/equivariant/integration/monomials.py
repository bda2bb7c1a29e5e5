"""Monomials of the values at a few points, with learned exponents."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant.field_type import FieldType
from learnsym.equivariant.integration.kernel import IntegrationKernel, check_counts, check_regular
from learnsym.equivariant.integration.plain import plain_monomials
from learnsym.equivariant.integration.points import Points


@final
class Monomials(IntegrationKernel):
    """Products of powers of the values at a few points, of each field for itself.

        f_{m,j}(v) = Π_i (max(v_{m,ji}, 0) + ε)^{b_ji},    b > 0

    computed as `exp Σ b log`, so that neither zeros nor many factors harm; values between pixels, for groups such as
    C_8, are interpolated in logarithms. At first all `b = 1 / factors`: a geometric mean, of degree one in the values,
    whatever the number of factors. The first point of each monomial is the pixel itself; the others are drawn. Take
    more than needed, train, and keep the useful ones, see `selected`.

    Reference: Rath, Condurache, "Invariant integration in deep convolutional feature space" (2020), arXiv 2004.09166;
    selection by pruning: "Improving the sample-complexity of deep classification networks with invariant integration"
    (2022), arXiv 2202.03967.

    Args:
        in_type: regular fields, not negative (after a ReLU).
        count: monomials of each field.
        factors: points of each monomial.
        radius: points lie in a square of `2 radius + 1` pixels.
        epsilon: what is added to each value; slopes grow up to `ε^(b - 1)`.
        seed: of the points.

    Raises:
        ValueError: for fields that are not regular, counts below 1, or an epsilon that is not positive.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 3)
        >>> ls.equivariant.Monomials(fields, count=5).out_features
        15
    """

    def __init__(
        self,
        in_type: FieldType,
        count: int = 8,
        factors: int = 3,
        radius: int = 2,
        epsilon: float = 1e-2,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_regular(in_type)
        check_counts(count=count, factors=factors)
        if radius < 0 or not epsilon > 0:
            raise ValueError(f"radius, epsilon: got {radius}, {epsilon}, must be >= 0 and > 0; 2 and 0.01 are usual")
        self.in_type, self.count, self.factors, self.epsilon = in_type, count, factors, epsilon
        self.points = Points.drawn(in_type.group, count, factors, radius, seed)
        self.out_features = in_type.fields * count
        # softplus(raw) = 1 / factors
        self.raw_exponents = nn.Parameter(torch.full((count, factors), 1 / factors).expm1().log())

    def exponents(self) -> Float[Tensor, "count factors"]:
        """The exponents `b`."""
        return nn.functional.softplus(self.raw_exponents)

    def prepared(self, x: Tensor) -> Tensor:
        """`log(max(x, 0) + ε) - log ε`."""
        return (x.relu() / self.epsilon).log1p()

    def forward(self, v: Float[Tensor, "B m P *R"]) -> Float[Tensor, "B F *R"]:
        """All monomials, from the logarithms that `prepared` gives."""
        b = self.exponents()
        # no matrix product, which autocast would round
        powers = b.view(self.count, self.factors, *[1] * (v.ndim - 3))
        logs = (v.unflatten(2, b.shape) * powers).sum(3) + math.log(self.epsilon) * powers.sum(1)
        return logs.exp().flatten(1, 2)

    def selected(self, kept: Sequence[int]) -> Monomials:
        """The kernel with some of its monomials only, by index, with their exponents.

        Raises:
            ValueError: for no index, or one out of range.
        """
        if not kept or not all(0 <= j < self.count for j in kept):
            raise ValueError(f"kept: got {list(kept)}, must be indices in 0 ... {self.count - 1}, at least one")
        selection = copy.deepcopy(self)
        rows = [j * self.factors + i for j in kept for i in range(self.factors)]
        selection.points = Points(
            tuple(self.points.offsets[row] for row in rows), tuple(self.points.elements[row] for row in rows)
        )
        selection.count, selection.out_features = len(kept), self.in_type.fields * len(kept)
        selection.raw_exponents = nn.Parameter(self.raw_exponents.detach()[list(kept)].clone())
        return selection

    def plain(self, gather: Float[Tensor, "P G G k k"], padding_mode: str) -> nn.Module:
        """Logarithm, convolution, exponential."""
        b, fields = self.exponents().to(gather), torch.eye(self.in_type.fields).to(gather)
        one_field = torch.einsum("jf,jfghkl->jghkl", b, gather.unflatten(0, b.shape))
        kernel = torch.einsum("mn,jghkl->mjgnhkl", fields, one_field).flatten(3, 4).flatten(0, 2)
        constants = math.log(self.epsilon) * b.sum(1).repeat_interleave(len(gather[0])).repeat(len(fields))
        return plain_monomials(kernel, constants, padding_mode, self.epsilon)

    def extra_repr(self) -> str:
        """Sizes."""
        return f"count={self.count}, factors={self.factors}"
