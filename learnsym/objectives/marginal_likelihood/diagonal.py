"""The diagonal of the generalised Gauss-Newton matrix.

Legend of axes: `B` batch, `D` outputs of an example, `P` entries of a tensor.
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


@dataclass(frozen=True)
class DiagonalCurvature:
    """`H_pp = Σ_n Σ_d (S_n^T J_n)_dp²`, without any coupling between weights."""

    means: dict[str, Float[Tensor, "P"]]
    """`H_pp / N` of each tensor."""

    def occam(self, precisions: Mapping[str, Tensor], examples: int) -> Occam:
        """`Σ_p log(1 + H_pp / δ_l)`: at least the determinant of the whole matrix (Hadamard's inequality)."""
        ratios = {name: examples * mean.double() / precisions[name] for name, mean in self.means.items()}
        dimensions = {name: (ratio / (1 + ratio)).sum().detach() for name, ratio in ratios.items()}
        return Occam(torch.stack([ratio.log1p().sum() for ratio in ratios.values()]).sum(), dimensions)

    def with_means(self, means: dict[str, Tensor]) -> DiagonalCurvature:
        """The same of other means."""
        return replace(self, means=means)


@dataclass(frozen=True)
class Diagonal:
    """The diagonal of the generalised Gauss-Newton matrix of all weights, exact entry by entry.

        H_pp = Σ_n Σ_d (S_n^T J_n)_dp²,    S_n S_n^T = Λ_n

    One example after the other passes through the network, of any layers. What is left out makes the log evidence too
    low: weights that undo each other each count as determined. As `DiagLaplace` with the GGN in laplace-torch.

    Example:
        >>> from learnsym.objectives.marginal_likelihood.likelihoods import Classes
        >>> net = nn.Linear(4, 3)
        >>> held = Diagonal().held(net, dict(net.named_parameters()))
        >>> _, curvature = Diagonal().of(net, held, torch.rand(5, 4), Classes())
        >>> {name: tuple(mean.shape) for name, mean in curvature.means.items()}
        {'weight': (12,), 'bias': (3,)}
    """

    def held(self, model: nn.Module, weights: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
        """All weights.

        Raises:
            ValueError: for none.
        """
        if not weights:
            raise ValueError("model: has no trained weights, whose evidence could be taken; leave some unfrozen")
        return dict(weights)

    def of(
        self,
        model: nn.Module,
        held: Mapping[str, nn.Parameter],
        x: Whole,
        likelihood: Likelihood,
        *,
        create_graph: bool = True,
    ) -> tuple[Float[Tensor, "B D"], DiagonalCurvature]:
        """Outputs and the diagonal of a batch."""
        rows = rows_of(model, held, x, likelihood, create_graph=create_graph)
        count = len(rows.outputs)
        return rows.outputs, DiagonalCurvature({n: R.square().sum(0) / count for n, R in rows.by_tensor.items()})
