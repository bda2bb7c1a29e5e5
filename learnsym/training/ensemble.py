"""Many small networks of one shape trained as one: over seeds and learning rates."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from learnsym._freed_memory import freed_memory_is_kept
from learnsym.data import Batches
from learnsym.objectives.losses import LossFunction
from learnsym.training.config import OptimiserConfig, TrainConfig
from learnsym.training.history import History
from learnsym.training.non_finite import NonFiniteLoss
from learnsym.training.randomness import settings
from learnsym.training.stacked import Stacked
from learnsym.training.stacked_optimiser import StackedOptimiser


@dataclass
class EnsembleHistory:
    """Losses and learning rates of M members, by step."""

    losses: Float[Tensor, "M steps"]
    """Training loss of each member at each step, on the CPU."""
    rates: Float[Tensor, "M steps"]
    """Learning rate of each member at each step."""

    def member(self, index: int) -> History:
        """The records that `fit` with `objectives.Supervised` would have made of one member."""
        pairs = zip(self.losses[index].tolist(), self.rates[index].tolist(), strict=True)
        return History(
            [
                {"step": k, "split": "train", "loss": loss, "task": loss, "lr": lr}
                for k, (loss, lr) in enumerate(pairs, 1)
            ]
        )

    def __len__(self) -> int:
        return len(self.losses)


class MembersNonFinite(NonFiniteLoss):
    """Some members had a loss or weights that were NaN or infinite; the others are trained to the end.

    `members` says at which step, by member, `step` is the first of these, `history` is that of all members.
    """

    def __init__(self, members: dict[int, int], history: EnsembleHistory) -> None:
        named = ", ".join(f"member {m} at step {step}" for m, step in members.items())
        super().__init__(
            f"the loss or the weights of {len(members)} of {len(history)} members are not finite ({named}), "
            "the others are trained; "
            "begin these anew with a lower optimiser.lr or with optimiser.clip",
            min(members.values()),
        )
        self.members = members
        self.history = history
        self.args = (members, history)  # so that it can be pickled


def fit_ensemble(
    models: Sequence[nn.Module],
    loss_fn: LossFunction,
    loader: Batches | Sequence[Batches],
    *,
    steps: int,
    optimiser: OptimiserConfig | Sequence[OptimiserConfig] = OptimiserConfig(),  # noqa: B008  frozen
    seeds: Sequence[int],
) -> EnsembleHistory:
    """Train many modules of one shape at once, in place: each as `fit` with `objectives.Supervised` would alone.

    Weights are stacked and the forward pass is vectorised over members, so that a step of all members takes the calls
    of one. Results are those of separate fits up to rounding, which training amplifies as it does between two machines:
    in double precision weights stay the same, in single precision they drift apart over tens of steps. What is saved is
    the time of calls, and for convolutions that keep a CPU busy that of running over the channels of one network, see
    `stacked_layers` and `benchmarks/ensemble.py`.

    Members do not act on each other: one whose loss stops being finite keeps weights of no use, and the others are
    trained to the end before the error is raised.

    Args:
        models: members of one shape, all on one device, without dropout, other random numbers, running statistics and
            learned distributions over group elements.
        loss_fn: `(outputs, targets) -> scalar`.
        loader: one `Batches`, whose examples each member visits in the order of its own seed, as
            `Batches(dataset, batch_size, seed)` does; or one for each member, used as it is.
        steps: optimiser steps.
        optimiser: for all members, or one for each; only `lr` and `weight_decay` may differ.
        seeds: of the members' batches, one for each member.

    Returns:
        The losses and rates of all members.

    Raises:
        ValueError: when the members are not of one shape or cannot be stacked, or numbers of things disagree.
        MembersNonFinite: a `NonFiniteLoss`, after the last step.

    Example:
        >>> data = ls.data.Dataset(torch.randn(64, 3), torch.randint(2, (64,)), classes=2)
        >>> models = [nn.Linear(3, 2) for _ in range(4)]
        >>> rates = [ls.training.OptimiserConfig(lr=lr) for lr in (1e-3, 1e-2, 1e-3, 1e-2)]
        >>> loader = ls.data.Batches(data, 16)
        >>> loss_fn = nn.functional.cross_entropy
        >>> history = ls.training.fit_ensemble(models, loss_fn, loader, steps=5, optimiser=rates, seeds=[0, 0, 1, 1])
        >>> history.losses.shape, len(history.member(0).losses)
        (torch.Size([4, 5]), 5)
    """
    if steps < 0:
        raise ValueError(f"steps: got {steps}, must be >= 0; 0 leaves the models as they are")
    stacked = Stacked(models)
    count, device = len(stacked.weights), stacked.weights.device
    loaders = _loaders(loader, seeds, count)
    configs = [optimiser] * count if isinstance(optimiser, OptimiserConfig) else list(optimiser)
    rule = StackedOptimiser(stacked.weights, configs, steps)
    losses = torch.empty(steps, count, dtype=torch.float64, device=device)
    whole = torch.empty(steps, count, dtype=torch.bool, device=device)
    with settings(TrainConfig(steps=steps)), freed_memory_is_kept():
        try:
            for step in range(steps):
                x, y = _batch(loaders, step)
                of_step = stacked.losses(loss_fn, x.to(device), y.to(device))
                losses[step] = of_step.detach()
                rule.update(stacked.gradient(of_step), step)
                whole[step] = stacked.weights.isfinite().all(1)
        finally:
            stacked.write_back()
    rates = [rule.rates(step)[:, 0].cpu() for step in range(steps)]
    history = EnsembleHistory(losses.T.cpu(), torch.stack(rates, 1) if rates else torch.empty(count, 0))
    _check_finite(history, whole.T.cpu())
    return history


def _loaders(loader: Batches | Sequence[Batches], seeds: Sequence[int], count: int) -> list[Batches]:
    """The batches of each member."""
    if len(seeds) != count:
        raise ValueError(f"seeds: got {len(seeds)}, must be one for each of {count} members")
    if isinstance(loader, Batches):
        return [_reseeded(loader, seed) for seed in seeds]
    loaders = list(loader)
    if len(loaders) != count:
        raise ValueError(f"loader: got {len(loaders)}, must be one, or one for each of {count} members")
    if len({b.batch_size for b in loaders}) > 1:
        sizes = sorted({b.batch_size for b in loaders})
        raise ValueError(f"loader: got batch sizes {sizes}, must be equal; train members of one size together")
    return loaders


def _reseeded(loader: Batches, seed: int) -> Batches:
    """The same examples in another order; a new `Batches` would look through all examples again."""
    own = copy.copy(loader)
    own.seed, own._epoch = seed, -1
    return own


def _batch(loaders: list[Batches], step: int) -> tuple[Tensor, Tensor]:
    """The batches of all members, `(M, B, ...)`: one look-up where they have their examples in common."""
    data = loaders[0].dataset
    if all(b.dataset.x is data.x and b.dataset.y is data.y for b in loaders):
        indices = torch.cat([b.indices(step) for b in loaders])
        x, y = data.batch(indices)
        return x.unflatten(0, (len(loaders), -1)), y.unflatten(0, (len(loaders), -1))
    xs, ys = zip(*(b[step] for b in loaders), strict=True)
    return torch.stack(xs), torch.stack(ys)


def _check_finite(history: EnsembleHistory, whole: Bool[Tensor, "M steps"]) -> None:
    bad = ~(history.losses.isfinite() & whole)
    if bad.any():
        raise MembersNonFinite({m: int(row.nonzero()[0, 0]) + 1 for m, row in enumerate(bad) if row.any()}, history)
