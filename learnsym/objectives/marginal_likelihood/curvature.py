"""What a curvature of a network is, and a way to approximate it: the part of Laplace's evidence that costs.

Legend of axes: `B` batch, `D` outputs of an example.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives.marginal_likelihood.likelihoods import Likelihood
from learnsym.parts import Whole


@dataclass(frozen=True)
class Occam:
    """What the curvature takes off the log evidence, and how many weights the data determine."""

    log_determinant: Float[Tensor, ""]
    """`log det(1 + H δ^-1)`."""
    dimensions: dict[str, Float[Tensor, ""]]
    """Effective dimensions `γ_l = tr((H (H + δ)^-1)_ll)` of each tensor, at most its number of entries."""


@runtime_checkable
class Curvature(Protocol):
    """An approximation of the generalised Gauss-Newton matrix `H = N · mean_n J_n^T Λ_n J_n` of some tensors."""

    @property
    def means(self) -> dict[str, Tensor]:
        """Means over examples that it is made of, by name."""
        ...

    def occam(self, precisions: Mapping[str, Tensor], examples: int) -> Occam:
        """For a precision `δ_l` of each tensor and `N` examples; differentiable in both `means` and precisions."""
        ...

    def with_means(self, means: dict[str, Tensor]) -> Curvature:
        """The same of other means."""
        ...


@runtime_checkable
class Form(Protocol):
    """How the curvature of a network is approximated: of which weights, and from what."""

    def held(self, model: nn.Module, weights: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
        """The weights that have a curvature, and a normal prior; all others have a flat one.

        Raises:
            ValueError: one sentence, for a network that has none.
        """
        ...

    def of(
        self,
        model: nn.Module,
        held: Mapping[str, nn.Parameter],
        x: Whole,
        likelihood: Likelihood,
        *,
        create_graph: bool = True,
    ) -> tuple[Float[Tensor, "B D"], Curvature]:
        """Outputs and the curvature of a batch; with a graph to whatever the model is made of, when that is asked."""
        ...


def with_values_of(own: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Other values with the gradient of one's own."""
    return {name: values[name] + (mean - mean.detach()) for name, mean in own.items()}


def added(sums: Mapping[str, Tensor], means: Mapping[str, Tensor], weight: float) -> dict[str, Tensor]:
    """`sums + weight · means`, by name; without sums the weighted means alone."""
    return {name: sums[name] + weight * mean if name in sums else weight * mean for name, mean in means.items()}


def squares(weights: Mapping[str, Tensor], precisions: Mapping[str, Tensor]) -> Float[Tensor, ""]:
    """`Σ_l δ_l |w_l|²`, in double precision."""
    return torch.stack([precisions[name] * weight.double().square().sum() for name, weight in weights.items()]).sum()
