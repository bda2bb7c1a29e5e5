"""The whole generalised Gauss-Newton matrix, of small networks.

Legend of axes: `B` batch, `D` outputs of an example, `R` rows, `P` entries of weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives.marginal_likelihood.curvature import Occam
from learnsym.objectives.marginal_likelihood.likelihoods import Likelihood
from learnsym.objectives.marginal_likelihood.rows import rows_of
from learnsym.parts import Whole

LARGEST = 4096
"""Entries of weights: the matrix has their square, and its determinant costs their cube."""


@dataclass(frozen=True)
class FullCurvature:
    """`H = Σ_n J_n^T Λ_n J_n` with all couplings between tensors."""

    means: dict[str, Float[Tensor, "P P"]]
    """`H / N`, by the name `matrix`."""
    sizes: dict[str, int]
    """Entries of each tensor, in the order of the matrix."""

    def occam(self, precisions: Mapping[str, Tensor], examples: int) -> Occam:
        """`log det(1 + δ^-1/2 H δ^-1/2)`, which has the factors of `H + δ` as its own."""
        H = examples * self.means["matrix"].double()
        delta = torch.cat([precisions[name].double().expand(size) for name, size in self.sizes.items()]).to(H.device)
        root = delta.rsqrt()
        one = torch.eye(len(H), dtype=H.dtype, device=H.device)
        whitened = one + root[:, None] * H * root
        shares = 1 - torch.linalg.inv(whitened.detach()).diagonal()
        # (H (H + δ)^-1)_pp = 1 - (1 + δ^-1/2 H δ^-1/2)^-1_pp
        parts = dict(zip(self.sizes, shares.split(list(self.sizes.values())), strict=True))
        dimensions = {name: share.sum().clamp(0, self.sizes[name]) for name, share in parts.items()}
        return Occam(torch.linalg.slogdet(whitened).logabsdet, dimensions)

    def with_means(self, means: dict[str, Tensor]) -> FullCurvature:
        """The same of other means."""
        return replace(self, means=means)


@dataclass(frozen=True)
class Full:
    """The generalised Gauss-Newton matrix of all weights together, for networks of at most 4,096 of them.

        H = Σ_n J_n^T Λ_n J_n,    log det(1 + H δ^-1)

    One example after the other passes through the network. Nothing is left out but what Laplace's approximation does.
    This is the curvature of laplace-torch's `FullLaplace` and of the GGN of curvlinops.

    Reference: MacKay (1992), "A practical Bayesian framework for backpropagation networks".

    Example:
        >>> from learnsym.objectives.marginal_likelihood.likelihoods import Classes
        >>> net = nn.Linear(4, 3)
        >>> held = Full().held(net, dict(net.named_parameters()))
        >>> _, curvature = Full().of(net, held, torch.rand(5, 4), Classes())
        >>> tuple(curvature.means["matrix"].shape)
        (15, 15)
    """

    def held(self, model: nn.Module, weights: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
        """All weights.

        Raises:
            ValueError: for none, or too many of them.
        """
        entries = sum(weight.numel() for weight in weights.values())
        if not 0 < entries <= LARGEST:
            raise ValueError(
                f"model: has {entries} trained weights, must be 1 to {LARGEST} for the full curvature; take kronecker"
            )
        return dict(weights)

    def of(
        self,
        model: nn.Module,
        held: Mapping[str, nn.Parameter],
        x: Whole,
        likelihood: Likelihood,
        *,
        create_graph: bool = True,
    ) -> tuple[Float[Tensor, "B D"], FullCurvature]:
        """Outputs and the matrix of a batch."""
        rows = rows_of(model, held, x, likelihood, create_graph=create_graph)
        R = torch.cat(list(rows.by_tensor.values()), 1)
        sizes = {name: weight.numel() for name, weight in held.items()}
        return rows.outputs, FullCurvature({"matrix": R.mT @ R / len(rows.outputs)}, sizes)
