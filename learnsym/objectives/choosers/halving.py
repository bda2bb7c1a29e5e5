"""Successive halving: at which steps hypotheses are looked at, and how many of them go on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor

from learnsym.objectives.choosers.evidence import ERRORS, behind

TURNS = 375
"""Most steps in which hypotheses take turns: what a choice needs does not grow with a training."""
ALONE = 0.1
"""Part of a training that is longer, in which the network is trained as it is before hypotheses take turns."""
FIRST = 1 / 3
"""When the first hypotheses are dropped, in parts of the time that they take turns; the last ones at its end."""
AVERAGED = 0.07
"""Part of the training before a rung whose mean weights are looked at."""


@dataclass(frozen=True)
class Schedule:
    """The steps of successive halving, in which the hypotheses that are left share one network.

        none, [0, alone)  →  H laws in turn, [alone, first)  →  H/2, [first, second)  →  ...  →  1, [decided, steps)

    A choice costs looks at held-out examples and no training. In a long training the network begins as it is, and turns
    are few, since what it learns first lasts: of 30,000 photographs, which are upright, one that began with turned ones
    for a twentieth of the steps stayed two points behind. Short ones have no steps to spare.

    Reference: Achille, Rovere, Soatto, "Critical learning periods in deep networks" (2019), arXiv 1711.08856.

    Args:
        alone: step from which hypotheses take turns; the network is trained as it is before.
        decided: step from which one hypothesis has the network for itself; without rungs, the last one.
        rungs: steps at which hypotheses are dropped, with how many go on.
        steps: of the training in all; at the last one the answer is given.
    """

    alone: int
    decided: int
    rungs: tuple[tuple[int, int], ...]
    steps: int

    def compares(self, step: int) -> bool:
        """Whether hypotheses are yet to be compared after a step."""
        return not self.rungs or step < self.decided

    def averaged(self, step: int) -> int:
        """Which set of weights, counted from 1, a step adds to the mean of the next rung; 0 when none."""
        marks = [self.alone, *(at for at, _ in self.rungs)]
        before, after = next(((a, b) for a, b in pairwise(marks) if a < step <= b), (step, step))
        most = min(after - before, max(1, round(AVERAGED * self.steps)))
        return max(0, step - (after - most))


def schedule(hypotheses: int, steps: int, warmup: float) -> Schedule:
    """The schedule for so many hypotheses and steps; a training too short for a rung has none.

    Example:
        >>> from learnsym.objectives.choosers.halving import schedule
        >>> found = schedule(9, 600, 0.45)
        >>> found.alone, found.decided, found.rungs
        (0, 270, ((90, 5), (150, 4), (210, 2), (270, 1)))
        >>> found = schedule(14, 3000, 0.45)
        >>> found.alone, found.decided
        (300, 675)
    """
    shared = min(math.ceil(warmup * steps), max(0, steps - 1))
    count = math.ceil(math.log2(hypotheses))
    if shared < 2 * count:
        return Schedule(0, max(0, steps - 1), (), steps)
    turns = min(shared, TURNS)
    alone = min(shared - turns, round(ALONE * steps))
    gap = (1 - FIRST) / max(1, count - 1)
    rungs = [(alone + round(turns * (1 - gap * k)), 2**k) for k in range(count - 1, -1, -1)]
    halves = tuple((at, min(left, math.ceil(hypotheses / 2))) for at, left in rungs)
    return Schedule(alone, alone + turns, halves, steps)


def survivors(losses: Float[Tensor, "H N"], left: int, wider: Callable[[int, int], bool]) -> list[int]:
    """The hypotheses that go on: the favoured one, the best one, one wider than that, and the next best.

    Networks learn more slowly from wider laws, whose held-out losses are still to fall when those of narrow ones have.
    So favoured is the widest one whose loss is within `ERRORS` standard errors of the least, of those that are wider.

    Reference: Breiman, Friedman, Olshen, Stone, "Classification and regression trees" (1984), for the rule of one
    standard error.

    Args:
        losses: of the same examples under all hypotheses, NaN where one was not looked at.
        left: how many go on.
        wider: whether the law of the second hypothesis holds that of the first.

    Example:
        >>> from learnsym.objectives.choosers.halving import survivors
        >>> losses = torch.tensor([[0.1, 0.3], [0.0, 0.2], [0.2, 0.1], [0.9, 0.8]])
        >>> survivors(losses, 3, lambda first, second: second > first)
        [2, 1, 0]
    """
    means = losses.nanmean(1).nan_to_num(nan=math.inf)
    order = [h for h in means.argsort(stable=True).tolist() if means[h] < math.inf]
    best = order[0]
    beyond = [h for h in order if wider(best, h)]
    alike = [best, *(h for h in beyond if _tied(losses, h, best))]
    favoured = next(h for h in alike if not any(wider(h, k) for k in alike))
    return list(dict.fromkeys([favoured, best, *beyond[: favoured == best], *order]))[:left]


def _tied(losses: Float[Tensor, "H N"], h: int, best: int) -> bool:
    gap, error = behind(losses, h, best)
    return gap <= ERRORS * error
