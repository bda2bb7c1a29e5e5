"""The loss of probabilistic steerable networks: task, alignment, and order along the depth."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from learnsym.objectives._objective import Loss
from learnsym.objectives.losses import LossFunction
from learnsym.objectives.prior import penalty
from learnsym.objectives.supervised import Batch, checked_weight
from learnsym.relax import Likelihood, kl_along_depth, likelihoods


class Probabilistic:
    """The loss on the targets with three pulls on the likelihoods `λ_l` of the layers `l = 1 ... L`.

        L = task + a Σ_l align(λ_l) + b/L Σ_l KL(λ_l | λ_{l-1}) + c/L Σ_l KL(λ_l | uniform) + p Σ_l prior_l

    `align = max_g log λ - log λ(e)` keeps the mode at the identity. The previous layer is detached, and uniform before
    the first one: symmetry lost early is not regained, so a later layer should not differ without reason. The prior of
    the free kernels (our own; `p = 1 / N` for `N` examples) makes `λ` identifiable, which the task alone does not.

    Reference: Veefkind, Cesa (2024), arXiv 2406.03946.

    Args:
        loss_fn: `(outputs, targets) -> scalar`.
        align, previous, uniform, prior: the weights `a`, `b`, `c`, `p`, not negative.

    Raises:
        ValueError: for a negative weight.

    Example:
        >>> fields = ls.equivariant.FieldType.trivial(ls.groups.Cyclic(4), 2)
        >>> net = nn.Sequential(ls.relax.ProbabilisticSteerableConv(fields, fields, 3), nn.Flatten())
        >>> objective = ls.objectives.Probabilistic(nn.functional.cross_entropy)
        >>> sorted(objective(net, (torch.rand(5, 2, 3, 3), torch.zeros(5, dtype=torch.long))).parts)
        ['align', 'kl_previous', 'kl_uniform', 'prior', 'task']
    """

    def __init__(
        self,
        loss_fn: LossFunction,
        align: float = 5.0,
        previous: float = 3.0,
        uniform: float = 3.0,
        prior: float = 0.0,
    ) -> None:
        self.loss_fn = loss_fn
        self.align, self.previous, self.uniform = map(checked_weight, (align, previous, uniform))
        self.prior = checked_weight(prior)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        x, y = batch
        task = self.loss_fn(model(x), y)
        layers = likelihoods(model)
        pulls = {"align": _align(layers), "kl_previous": _previous(layers), "kl_uniform": _uniform(layers)}
        zero = task.new_zeros(())
        values = {name: torch.stack(terms).sum() if terms else zero for name, terms in pulls.items()}
        values["prior"] = penalty(model, task)
        count = max(len(layers), 1)
        ordered = (self.previous * values["kl_previous"] + self.uniform * values["kl_uniform"]) / count
        total = task + self.align * values["align"] + ordered + self.prior * values["prior"]
        return Loss(total, {"task": task.detach()} | {name: value.detach() for name, value in values.items()})


def _align(layers: list[list[Likelihood]]) -> list[Tensor]:
    return [likelihood.alignment() for streams in layers for likelihood in streams]


def _uniform(layers: list[list[Likelihood]]) -> list[Tensor]:
    return [likelihood.kl_to_uniform() for streams in layers for likelihood in streams]


def _previous(layers: list[list[Likelihood]]) -> list[Tensor]:
    """Stream by stream; a layer with more streams than the one before compares the rest with its last."""
    found = [likelihood.kl_to_uniform() for likelihood in (layers[0] if layers else [])]
    for before, streams in itertools.pairwise(layers):
        for index, likelihood in enumerate(streams):
            other = before[min(index, len(before) - 1)]
            if other is not likelihood:
                found.append(likelihood.kl_to(other, detached=True))
    return found


class LikelihoodELBO:
    """The evidence lower bound of a network whose likelihoods have posteriors, per example.

        L = E_q task + KL(q | p) / N,    p(c_l | c_{l-1}) along the depth

    Each call draws the coefficients once for each layer. Streams are ordered one by one.

    Args:
        loss_fn: `(outputs, targets) -> scalar`, the mean of negative log-likelihoods.
        examples: `N`, of the training set.
        scale, step: standard deviations of the prior, see `relax.kl_along_depth`.

    Raises:
        ValueError: for `examples` below 1.

    Example:
        >>> group = ls.groups.Cyclic(4)
        >>> fields = ls.equivariant.FieldType.trivial(group, 2)
        >>> likelihood = ls.relax.bayesian_likelihood(group)
        >>> conv = ls.relax.ProbabilisticSteerableConv(fields, fields, 3, likelihood=likelihood)
        >>> objective = ls.objectives.LikelihoodELBO(nn.functional.cross_entropy, examples=100)
        >>> batch = torch.rand(5, 2, 3, 3), torch.zeros(5, dtype=torch.long)
        >>> sorted(objective(nn.Sequential(conv, nn.Flatten()), batch).parts)
        ['kl', 'task']
    """

    def __init__(self, loss_fn: LossFunction, examples: int, scale: float = 1.0, step: float = 0.5) -> None:
        if examples < 1:
            raise ValueError(f"examples: got {examples}, must be the number of training examples, at least 1")
        self.loss_fn, self.examples, self.scale, self.step = loss_fn, examples, scale, step

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        x, y = batch
        task = self.loss_fn(model(x), y)
        kl = torch.stack([task.new_zeros(()), *(self._kl(stream) for stream in _by_stream(likelihoods(model)))]).sum()
        return Loss(task + kl / self.examples, {"task": task.detach(), "kl": kl.detach()})

    def _kl(self, stream: list[Likelihood]) -> Tensor:
        return kl_along_depth(stream, self.scale, self.step)


def _by_stream(layers: list[list[Likelihood]]) -> list[list[Likelihood]]:
    """The likelihoods of one stream along the depth, each once."""
    found: list[list[Likelihood]] = [[] for _ in range(max(map(len, layers), default=0))]
    seen: set[int] = set()
    for streams in layers:
        for stream, likelihood in zip(found, streams, strict=False):
            if id(likelihood) not in seen:
                stream.append(likelihood)
                seen.add(id(likelihood))
    return found
