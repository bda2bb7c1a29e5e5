"""Successive halving: at which steps hypotheses are looked at, and how many of them go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SHARES = (0.2, 0.12, 0.12)
"""Plain trainings in which all hypotheses, then those of each rung are trained together, before one is left."""


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
        (180, ((193, 3), (217, 2), (253, 1)), 1.32)
    """
    fork = min(math.ceil(warmup * steps), max(0, steps - 1))
    lefts = (max(2, round(math.sqrt(hypotheses))), 2, 1)
    at, alive, rungs = fork, hypotheses, []
    for share, left in zip(SHARES, lefts, strict=True):
        at += max(1, round(share * steps / alive))
        if at < steps - 1 and left < alive:
            rungs.append((at, left))
            alive = left
    return Schedule(fork, tuple(rungs), steps)


def survivors(losses: Sequence[float], left: int, wider: Callable[[int, int], bool]) -> list[int]:
    """The hypotheses that go on: the best one, then in turn the next best wider than it and the next best of all.

    Networks learn more slowly from wider laws, whose held-out losses are still to fall when those of narrow ones have.

    Args:
        losses: of all hypotheses, infinite for those that are not in the race.
        left: how many go on.
        wider: whether the law of the second hypothesis holds that of the first.

    Example:
        >>> from learnsym.objectives.choosers.halving import survivors
        >>> survivors([0.2, 0.1, 0.3, 0.4], 2, lambda first, second: second > first)
        [1, 2]
    """
    order = sorted((h for h, loss in enumerate(losses) if loss < math.inf), key=lambda h: losses[h])
    found, rest = order[:1], order[1:]
    while rest and len(found) < left:
        beyond = [h for h in rest if wider(found[0], h)] if len(found) % 2 else rest
        found.append((beyond or rest)[0])
        rest.remove(found[-1])
    return found
