"""Which softness held-out examples prefer, among networks that were fine-tuned at several.

Legend of axes: `H` dials, `N` held-out examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._modes import evaluating
from learnsym.degrees import Degree
from learnsym.objectives.choosers.evidence import calibrated, loss_per_example, winning_probabilities
from learnsym.objectives.losses import LossFunction
from learnsym.parts import Whole, device_of, examples, joined, moved_to, split
from learnsym.relax import Softened
from learnsym.statistics import LEVEL

AT_ONCE = 256
ENDS = "the probability of a dial is noise of held-out examples alone, and the best one lies at an end of those tried"


@dataclass(frozen=True, kw_only=True)
class SoftnessPosterior:
    """How often each softness wins when the held-out examples are drawn again, and the networks it is about."""

    softness: Float[Tensor, "H"]
    """Dials in ascending order: 0 is strict, 1 the weights as they are."""
    losses: Float[Tensor, "H"]
    """Mean held-out losses, of logits at their best temperature."""
    probabilities: Float[Tensor, "H"]
    """Shares of resamples that each dial wins; of two within a standard error the stricter one does."""
    group: str

    @property
    def best(self) -> float:
        """The dial that wins most often."""
        return float(self.softness[self.probabilities.argmax()])

    def degrees(self, site: str) -> list[Degree]:
        """The best dial, between the smallest and the largest one that is not improbable, each a step further."""
        likely = (self.probabilities >= (1 - LEVEL) / 2).nonzero().flatten()
        low = float(self.softness[max(0, int(likely[0]) - 1)])
        high = float(self.softness[min(len(self.softness) - 1, int(likely[-1]) + 1)])
        at_end = self.best in (float(self.softness[0]), float(self.softness[-1])) and self.best not in (0.0, 1.0)
        degree = Degree(
            site=site,
            group=self.group,
            generator="softness",
            unit="1",
            notion="task",
            estimate=self.best,
            low=low,
            high=high,
            method="soft equivariance, held-out examples",
            status="bound only" if at_end else "ok",
            reason=ENDS if at_end else "",
        )
        return [degree]


@torch.no_grad()
def softness_posterior(
    models: Mapping[float, nn.Module], loss_fn: LossFunction, x: Whole, y: Tensor
) -> SoftnessPosterior:
    """Choose among networks that were fine-tuned at several dials by examples that none of them was trained on.

    The resamples are common to all dials, so that their differences are paired. A stricter dial that is behind by at
    most one standard error of the difference wins, since it promises more of inputs that were never seen.

    Args:
        models: `relax.Softened` by its softness, two at least; with 0 for strict and 1 for the network as it is.
        loss_fn: such as `torch.nn.functional.cross_entropy`.
        x, y: held-out inputs and targets.

    Raises:
        ValueError: for fewer than two models, or one that is not softened.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> dials = {b: ls.relax.Softened(net, ls.groups.Cyclic(4), ls.relax.FixedSoftness(b)) for b in (0.0, 1.0)}
        >>> loss_fn, x, y = nn.functional.cross_entropy, torch.rand(20, 1, 8, 8), torch.arange(20) % 3
        >>> found = ls.posterior.softness_posterior(dials, loss_fn, x, y)
        >>> found.softness.tolist(), round(float(found.probabilities.sum()), 6)
        ([0.0, 1.0], 1.0)
    """
    dials = sorted(models)
    if len(dials) < 2:
        raise ValueError(f"models: got {len(dials)}, must be at least 2 to choose among; fine-tune at 0 and at 1, too")
    for dial in dials:
        if not isinstance(models[dial], Softened):
            raise ValueError(f"models: got {type(models[dial]).__name__} at {dial:g}, must be relax.Softened; wrap it")
    losses = torch.stack([_losses(models[dial], loss_fn, x, y) for dial in dials])
    probabilities = winning_probabilities(
        losses[None],
        torch.zeros(len(dials), dtype=torch.long),
        torch.ones(len(dials), dtype=torch.bool),
        lambda h, k: dials[k] < dials[h],
    )
    group = next(str(model.group) for model in models.values() if isinstance(model, Softened))
    softness = torch.tensor(dials, dtype=torch.float64)
    return SoftnessPosterior(softness=softness, losses=losses.mean(1), probabilities=probabilities, group=group)


def _losses(model: nn.Module, loss_fn: LossFunction, x: Whole, y: Tensor) -> Float[Tensor, "N"]:
    """The loss of each example, in evaluation, of logits at their best temperature."""
    device = next(model.parameters()).device
    size = min(AT_ONCE, examples(x))
    with evaluating(model):
        outputs = joined([model(moved_to(part, device)).float().to(device_of(y)) for part in split(x, size)])
    return loss_per_example(loss_fn, calibrated(loss_fn, outputs, y), y)
