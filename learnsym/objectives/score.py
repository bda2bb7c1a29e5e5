"""The gradient with respect to what was drawn and carries none: the score function with a leave-one-out baseline."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.objectives.losses import LossFunction, loss_of
from learnsym.parts import chosen
from learnsym.ragged import Ragged


def with_score(
    loss_fn: LossFunction, outputs: Tensor, targets: Tensor | Ragged, score: Float[Tensor, "S B"] | None
) -> Float[Tensor, ""]:
    """The mean loss, whose gradient also has `E[(loss_b - baseline_b) grad score_b]`; its value does not change.

    The baseline of an example is the mean loss of the others, which leaves the gradient unbiased.

    Args:
        loss_fn: `(outputs, targets) -> scalar`, a mean over examples.
        outputs: one per example.
        targets: one per example.
        score: log probability of each draw of each example; None adds nothing.

    Reference: Williams (1992); Kool, van Hoof, Welling, "Buy 4 REINFORCE samples, get a baseline for free!" (2019).
    """
    task = loss_of(loss_fn, outputs, targets)
    if score is None or len(outputs) < 2:
        return task
    losses = _of_each(loss_fn, outputs.detach(), targets)
    # l_b - mean of the others = (l_b - mean) B / (B - 1)
    advantage = (losses - losses.mean()) * len(losses) / (len(losses) - 1)
    surrogate = (advantage * score.sum(0)).mean()
    return task + surrogate - surrogate.detach()


def _of_each(loss_fn: LossFunction, outputs: Tensor, targets: Tensor | Ragged) -> Float[Tensor, "B"]:
    if isinstance(targets, Tensor):
        return torch.func.vmap(loss_fn)(outputs.unsqueeze(1), targets.unsqueeze(1))
    ones = [slice(i, i + 1) for i in range(len(outputs))]
    return torch.stack([loss_of(loss_fn, outputs[one], chosen(targets, one)) for one in ones])
