"""The likelihood of a mixture of streams."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from learnsym.objectives._objective import Batch, Loss
from learnsym.objectives.regularised import Regularised
from learnsym.objectives.terms import Term
from learnsym.objectives.terms._term import checked_weight
from learnsym.relax import Streams


class MixtureLikelihood(Regularised):
    """The negative log likelihood of a mixture of streams, with a prior on their weights and a loss of each stream.

        L = -mean_n log Σ_s π_s p_s(y_n|x_n) - (1/N) Σ_s (α_s - 1) log π_s - own Σ_s mean_n log p_s(y_n|x_n)

    With `own = 0` this is the exact log posterior of a mixture, up to a constant; but then streams divide the examples
    among themselves, and `π` measures that division. With `own` positive every stream is a model of all examples, and
    `π` compares them. Learners inside of the streams add their terms.

    Args:
        examples: `N`, the number of training examples.
        own: weight of the loss of each stream, not negative.
        terms: of learners inside of the streams.

    Raises:
        ValueError: for fewer than one example or a negative weight; when called, for a model that is no `Streams`.

    Example:
        >>> nets = {name: nn.Linear(9, 3) for name in ("none", "C_4")}
        >>> objective = ls.objectives.MixtureLikelihood(examples=100)
        >>> loss = objective(ls.relax.Streams(nets), (torch.rand(5, 9), torch.arange(5) % 3))
        >>> sorted(loss.parts)
        ['prior', 'streams', 'task']
    """

    def __init__(self, examples: int, own: float = 1.0, terms: Sequence[Term] = ()) -> None:
        super().__init__(OfStreams(examples, own), terms)


class OfStreams:
    """The mixture likelihood, and nothing else: the task of `MixtureLikelihood`."""

    def __init__(self, examples: int, own: float) -> None:
        if examples < 1:
            raise ValueError(f"examples: got {examples}, must be at least 1, the number of training examples")
        self.examples, self.own = examples, checked_weight(own)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        if not isinstance(model, Streams):
            raise ValueError(f"model: got {type(model).__name__}, must be relax.Streams; wrap the networks in it")
        x, y = batch
        values, log_weights = model.log_likelihoods(x, y), model.log_weights()
        mixture = -torch.logsumexp(values + log_weights, -1).mean()
        prior = -((model.prior - 1) * log_weights).sum() / self.examples
        streams = -values.mean(0).sum()
        parts = {"task": mixture.detach(), "prior": prior.detach(), "streams": streams.detach()}
        return Loss(mixture + prior + self.own * streams, parts)
