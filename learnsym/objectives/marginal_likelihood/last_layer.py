"""The curvature of the last layer alone: an ablation."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives.marginal_likelihood.full import Full, FullCurvature
from learnsym.objectives.marginal_likelihood.likelihoods import Likelihood
from learnsym.parts import Whole

logger = logging.getLogger(__name__)

WARNING = (
    "curvature: last_layer charges nothing for what the layers before it have fitted, so that its evidence follows "
    "the training likelihood; it is here to be compared with, take kronecker"
)


@dataclass(frozen=True)
class LastLayer:
    """The whole curvature of the last linear layer, all other weights taken as known. For comparisons only.

        H = Σ_n J_n^T Λ_n J_n,    J_n = ∂f(x_n) / ∂(W, b) of the last layer

    All weights before it have a flat prior and no curvature: over-fitting there, which symmetry prevents, costs
    nothing. Among four networks trained for each of five targets of molecules, van der Linden et al. (2025), arXiv
    2506.18629, have evidence of this kind choose the worst one for two targets, where the held-out loss is right for
    all five. Each use of it logs a warning.

    Reference: Schwöbel et al. (2022), arXiv 2106.07512, for a Gaussian process as the last layer, and where it fails.
    """

    def held(self, model: nn.Module, weights: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
        """Those of the last layer that has any.

        Raises:
            ValueError: when that is not a Linear layer, or too large.
        """
        logger.warning(WARNING)
        owners = [
            (path, module)
            for path, module in model.named_modules()
            if any(id(own) == id(w) for own in module.parameters(recurse=False) for w in weights.values())
        ]
        path, last = owners[-1] if owners else ("", model)
        if type(last) is not nn.Linear:
            raise ValueError(
                f"model: its last layer with weights is a {type(last).__name__}, must be Linear for the curvature "
                "last_layer; take kronecker"
            )
        start = f"{path}." if path else ""
        names = [f"{start}{name}" for name, _ in last.named_parameters()]
        return Full().held(model, {name: weights[name] for name in names if name in weights})

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
        return Full().of(model, held, x, likelihood, create_graph=create_graph)
