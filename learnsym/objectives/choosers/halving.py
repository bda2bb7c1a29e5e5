"""Successive halving: at which steps hypotheses are looked at, and how many of them go on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from learnsym.objectives.choosers.evidence import ERRORS, behind

SHARES = (0.1, 0.06, 0.06)
"""Plain trainings in which all hypotheses, then those of each rung are trained together, before one is left."""
PASSES = (72, 44, 44)
"""Steps of one network that these phases take at most, as a longer training does not make the choice harder."""


@dataclass(frozen=True)
class Schedule:
    """The steps of successive halving.

        one network, [0, fork)  →  H of them, [fork, first)  →  √H, [first, second)  →  2, [second, third)  →  1

    What decides is short: the network that is left is trained for nearly all of the steps, and on its law for more than
    half of them, so that it is not behind one that was trained on this law alone.

    Args:
        fork: step at which the shared network becomes one of each hypothesis.
        rungs: steps at which hypotheses are dropped, with how many go on.
        steps: of the training in all; at the last one the answer is given.
    """

    fork: int
    rungs: tuple[tuple[int, int], ...]
    steps: int

    def compares(self, step: int) -> bool:
        """Whether hypotheses are yet to be compared after a step."""
        at, left = self.rungs[-1] if self.rungs else (self.steps, 2)
        return left > 1 or step < at

    def averaged(self, step: int) -> int:
        """Which set of weights, counted from 1, a step adds to the mean of the next rung; 0 when none."""
        marks = [self.fork, *(at for at, _ in self.rungs)]
        after = next((k for k in range(1, len(marks)) if marks[k - 1] < step <= marks[k]), None)
        return 0 if after is None else max(0, step - (marks[after - 1] + marks[after]) // 2)

    def passes(self, hypotheses: int) -> float:
        """Trained examples per example of a plain training, a number of plain trainings; held-out ones not counted."""
        starts = [0, self.fork, *(step for step, _ in self.rungs)]
        alive = [1, hypotheses, *(left for _, left in self.rungs)]
        lengths = [end - start for start, end in zip(starts, [*starts[1:], self.steps], strict=True)]
        return sum(n * length for n, length in zip(alive, lengths, strict=True)) / max(1, self.steps)


def schedule(hypotheses: int, steps: int, warmup: float) -> Schedule:
    """The schedule for so many hypotheses and steps; a training too short for a rung has none.

    Example:
        >>> from learnsym.objectives.choosers.halving import schedule
        >>> found = schedule(9, 600, 0.3)
        >>> found.fork, found.rungs, round(found.passes(9), 2)
        (180, ((187, 3), (199, 2), (217, 1)), 1.16)
    """
    fork = min(math.ceil(warmup * steps), max(0, steps - 1))
    lefts = (max(2, round(math.sqrt(hypotheses))), 2, 1)
    at, alive, rungs = fork, hypotheses, []
    for share, most, left in zip(SHARES, PASSES, lefts, strict=True):
        at += max(1, round(min(share * steps, most) / alive))
        if at < steps - 1 and left < alive:
            rungs.append((at, left))
            alive = left
    return Schedule(fork, tuple(rungs), steps)


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
