"""Successive halving: at which steps hypotheses are looked at, and how many of them go on."""

from __future__ import annotations

import math
from dataclasses import dataclass

FIRST, SECOND = 0.5, 0.4
"""Plain trainings that all hypotheses, and then those that are left, are trained for together."""
FINALISTS = 2


@dataclass(frozen=True)
class Schedule:
    """The steps of successive halving.

        one network, steps [0, fork)  →  H of them, [fork, first)  →  √2H, [first, second)  →  2, [second, steps)

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
        >>> found = schedule(7, 600, 0.25)
        >>> found.fork, found.rungs, round(found.passes(7), 2)
        (150, ((193, 4), (253, 2)), 2.31)
    """
    fork = min(math.ceil(warmup * steps), max(0, steps - 1))
    middle = max(FINALISTS, round(math.sqrt(2 * hypotheses)))
    first = fork + max(1, round(FIRST * steps / hypotheses))
    second = first + max(1, round(SECOND * steps / middle))
    rungs = [(first, middle), (second, FINALISTS)]
    falling = [(step, left) for step, left in rungs if step < steps - 1 and left < hypotheses]
    return Schedule(fork, tuple(falling), steps)
