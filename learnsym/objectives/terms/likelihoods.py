"""Pulls on the likelihoods `λ_l` of the layers `l = 1 ... L` of a probabilistic steerable network."""

from __future__ import annotations

import itertools
from typing import final

import torch
from torch import Tensor, nn

from learnsym.objectives._objective import Loss
from learnsym.objectives.terms._term import Term, checked_weight
from learnsym.relax import Likelihood, kl_along_depth, likelihoods


@final
class Alignment(Term):
    """Keeps the mode of each likelihood at the identity: `a Σ_l (max_g log λ_l(g) - log λ_l(e))`.

    Reference: Veefkind, Cesa (2024), arXiv 2406.03946.

    Args:
        weight: `a`, not negative.
    """

    kinds = ("alignment",)

    def __init__(self, weight: float = 5.0) -> None:
        super().__init__()
        self.weight = checked_weight(weight, "align")

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        values = [likelihood.alignment() for streams in likelihoods(model) for likelihood in streams]
        align = _sum(values, x)
        return Loss(self.weight * align, {"align": align.detach()})


@final
class DivergenceAlongDepth(Term):
    """Orders likelihoods along the depth: `b/L Σ_l KL(λ_l | λ_{l-1}) + c/L Σ_l KL(λ_l | uniform)`.

    The previous layer is detached, and uniform before the first one: symmetry lost early is not regained, so a later
    layer should not differ without reason. Streams are ordered one by one.

    Reference: Veefkind, Cesa (2024), arXiv 2406.03946.

    Args:
        previous, uniform: `b` and `c`, not negative.
    """

    kinds = ("divergence",)

    def __init__(self, previous: float = 3.0, uniform: float = 3.0) -> None:
        super().__init__()
        self.previous = checked_weight(previous, "previous")
        self.uniform = checked_weight(uniform, "uniform")

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        layers = likelihoods(model)
        previous = _sum(_to_previous(layers), x)
        uniform = _sum([likelihood.kl_to_uniform() for streams in layers for likelihood in streams], x)
        total = (self.previous * previous + self.uniform * uniform) / max(len(layers), 1)
        return Loss(total, {"kl_previous": previous.detach(), "kl_uniform": uniform.detach()})


@final
class PosteriorDivergence(Term):
    """Of likelihoods whose coefficients have posteriors, per example: `KL(q | p) / N`, `p(c_l | c_{l-1})` along depth.

    Together with the mean negative log likelihood it is the negative evidence lower bound per example. Each call draws
    the coefficients once for each layer.

    Args:
        examples: `N`, of the training set.
        scale, step: standard deviations of the prior, see `relax.kl_along_depth`.

    Raises:
        ValueError: for `examples` below 1.
    """

    kinds = ("alignment", "divergence")

    def __init__(self, examples: int, scale: float = 1.0, step: float = 0.5) -> None:
        super().__init__()
        if examples < 1:
            raise ValueError(f"examples: got {examples}, must be the number of training examples, at least 1")
        self.examples, self.scale, self.step = examples, scale, step

    def forward(self, model: nn.Module, x: Tensor) -> Loss:
        divergences = [kl_along_depth(stream, self.scale, self.step) for stream in _by_stream(likelihoods(model))]
        kl = torch.stack([x.new_zeros(()), *divergences]).sum()
        return Loss(kl / self.examples, {"kl": kl.detach()})


def _sum(values: list[Tensor], like: Tensor) -> Tensor:
    return torch.stack(values).sum() if values else like.new_zeros(())


def _to_previous(layers: list[list[Likelihood]]) -> list[Tensor]:
    """Stream by stream; a layer with more streams than the one before compares the rest with its last."""
    divergences = [likelihood.kl_to_uniform() for likelihood in (layers[0] if layers else [])]
    for before, streams in itertools.pairwise(layers):
        for index, likelihood in enumerate(streams):
            other = before[min(index, len(before) - 1)]
            if other is not likelihood:
                divergences.append(likelihood.kl_to(other, detached=True))
    return divergences


def _by_stream(layers: list[list[Likelihood]]) -> list[list[Likelihood]]:
    """The likelihoods of one stream along the depth, each once."""
    streams: list[list[Likelihood]] = [[] for _ in range(max(map(len, layers), default=0))]
    seen: set[int] = set()
    for layer in layers:
        for stream, likelihood in zip(streams, layer, strict=False):
            if id(likelihood) not in seen:
                stream.append(likelihood)
                seen.add(id(likelihood))
    return streams
