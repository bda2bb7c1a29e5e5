"""The loss on the targets plus what holds the learners of a model to their symmetry, and published choices of terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor, nn

from learnsym.augment import Augmented, OrbitAveraged
from learnsym.learners import unwrapped
from learnsym.objectives._objective import Loss, Objective
from learnsym.objectives.losses import LossFunction
from learnsym.objectives.supervised import Supervised
from learnsym.objectives.terms import (
    Alignment,
    DivergenceAlongDepth,
    PosteriorDivergence,
    Prior,
    Regulariser,
    Reward,
    Term,
    covering,
    sparse_norm,
)
from learnsym.parts import Whole, tensors_in


class Regularised(nn.Module):
    """An objective with the terms of all learners of the model: `L = task(f, x, y) + Σ_t term_t(f, x)`.

    A learner says in `terms()` which kinds of terms hold it. What is needed and not given is added with its usual
    weight, so that no learner of a model is left alone; a kind without a usual weight is an error.

    Args:
        task: `(model, batch) -> Loss`, such as `Supervised(loss_fn)` or `CoMoved(loss_fn, on_target)`.
        terms: with the weights that you want.

    Example:
        >>> model = ls.augment.Augmented(nn.Flatten(), ls.symmetry_by_name("rotation2d"))
        >>> task = ls.objectives.Supervised(nn.functional.cross_entropy)
        >>> batch = torch.rand(5, 1, 4, 4), torch.zeros(5, dtype=torch.long)
        >>> sorted(ls.objectives.Regularised(task)(model, batch).parts)
        ['regulariser', 'task']
    """

    def __init__(self, task: Objective, terms: Sequence[Term] = ()) -> None:
        super().__init__()
        self.task = task
        self.terms = nn.ModuleList(terms)

    def forward(self, model: nn.Module, batch: Any) -> Loss:  # noqa: ANN401  whatever the loader gives
        """The loss of a batch `(x, y)` with its parts."""
        return held(self.task(model, batch), model, batch, cast("list[Term]", list(self.terms)))


def held(loss: Loss, model: nn.Module, batch: Any, terms: Sequence[Term]) -> Loss:  # noqa: ANN401
    """A loss plus the terms, and those that learners of the model need beside them."""
    total, parts = loss.total, dict(loss.parts)
    x = _moving(model, batch[0])
    for term in covering(model, terms):
        pull = term(model, x)
        total = total + pull.total
        parts |= pull.parts
    return Loss(total, parts)


def _moving(model: nn.Module, x: Whole) -> Tensor:
    """The tensor of inputs on which laws of the model may depend; the first for a model that moves none."""
    model = unwrapped(model)
    if isinstance(model, Augmented | OrbitAveraged):
        return model.symmetry.moving(x)
    return next(tensor for _, tensor in tensors_in(x))


class Augerino(Regularised):
    """The loss on the targets, with a reward for wide distributions over group elements.

        L = E_{g ~ mu} loss(f(g · x), y) + weight * sum over learned distributions of regulariser(mu)

    A model without a learned distribution has regulariser 0.

    Reference: Benton, Finzi, Izmailov, Wilson, "Learning invariances in neural networks" (2020), arXiv 2010.11882.

    Args:
        loss_fn: `(outputs, targets) -> scalar`.
        regulariser, weight: of the reward, see `terms.Reward`.

    Raises:
        ValueError: when the weight is negative.

    Example:
        >>> objective = ls.objectives.Augerino(nn.functional.cross_entropy)
        >>> sorted(objective(nn.Linear(4, 3), (torch.rand(5, 4), torch.zeros(5, dtype=torch.long))).parts)
        ['regulariser', 'task']
    """

    def __init__(self, loss_fn: LossFunction, regulariser: Regulariser = sparse_norm, weight: float = 0.03) -> None:
        super().__init__(Supervised(loss_fn), [Reward(regulariser, weight)])


class WithPrior(Regularised):
    """The mean loss on the targets plus, per example, the negative log prior of every layer that has one.

        L = mean_n loss(f(x_n), y_n) + weight / N * Σ_layers penalty()

    Args:
        loss_fn: `(outputs, targets) -> scalar`, a mean over examples.
        examples, weight: `N` and the weight of the prior, see `terms.Prior`.

    Raises:
        ValueError: when `examples` is below 1 or the weight negative.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> net = ls.relax.ResidualPathway(ls.equivariant.EquivariantLinear(fields, fields))
        >>> objective = ls.objectives.WithPrior(nn.functional.cross_entropy, examples=100)
        >>> sorted(objective(net, (torch.rand(5, 4), torch.zeros(5, dtype=torch.long))).parts)
        ['prior', 'task']
    """

    def __init__(self, loss_fn: LossFunction, examples: int, weight: float = 1.0) -> None:
        super().__init__(Supervised(loss_fn), [Prior(examples, weight)])


class Probabilistic(Regularised):
    """The loss on the targets with three pulls on the likelihoods `λ_l` of the layers `l = 1 ... L`.

        L = task + a Σ_l align(λ_l) + b/L Σ_l KL(λ_l | λ_{l-1}) + c/L Σ_l KL(λ_l | uniform) + p Σ_l prior_l

    The prior of the free kernels (our own; `p = 1 / N` for `N` examples) makes `λ` identifiable, which the task alone
    does not.

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
        terms = [Alignment(align), DivergenceAlongDepth(previous, uniform), Prior(1, prior)]
        super().__init__(Supervised(loss_fn), terms)


class LikelihoodELBO(Regularised):
    """The evidence lower bound of a network whose likelihoods have posteriors, per example.

        L = E_q task + KL(q | p) / N,    p(c_l | c_{l-1}) along the depth

    Args:
        loss_fn: `(outputs, targets) -> scalar`, the mean of negative log-likelihoods.
        examples, scale, step: see `terms.PosteriorDivergence`.

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
        super().__init__(Supervised(loss_fn), [PosteriorDivergence(examples, scale, step)])
