"""The test of one element: are moved examples told from those that are not?"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from learnsym import measure
from learnsym.inference.candidates import Candidate
from learnsym.inference.views import positioned
from learnsym.measure.pose.closure import LEVEL
from learnsym.symmetry import Symmetry

FEW, COPIES, BY_HEART = 16, 8, 0.75
"""Examples that a network may know by heart, copies of each, and the share that it must then tell."""
ALIKE = 0.01
"""Relative distance of moved examples from themselves below which they are the same."""


def closure_of_element(x: Tensor, candidate: Candidate, *, steps: int, seed: int) -> dict[str, Any]:
    """The closure test of an element, as plain values.

    Args:
        x: examples.
        candidate: whose element moves them.
        steps: training steps per fold.
        seed: of folds and networks.

    Returns:
        p-value, share of pairs told apart, number of pairs, and whether the network can tell moves at all; or the
        `reason` why there is no test.
    """
    symmetry, element = candidate.symmetry, candidate.element
    assert symmetry is not None and element is not None  # since it fits
    shown = positioned(x, symmetry) if x.dim() == 3 else x
    try:
        closure = measure.closure_test(shown, symmetry, element, steps=steps, seed=seed)
    except ValueError as error:
        return {"reason": str(error)}
    can_learn = closure.p_value < LEVEL or _can_learn(shown, symmetry, element, steps, seed)
    return {
        "p": closure.p_value,
        "accuracy": closure.accuracy,
        "pairs": len(x),
        "can_learn": can_learn,
        "flags": list(closure.flags),
    }


def _can_learn(x: Tensor, symmetry: Symmetry, element: Tensor, steps: int, seed: int) -> bool:
    """Whether the same training tells a move of a few examples that it has seen, or there is nothing to tell."""
    few = x[:FEW]
    moved = symmetry.on_input(element.to(few).expand(len(few), -1, -1), few)
    if float((moved - few).norm()) < ALIKE * float(few.norm()):
        return True
    again = few.repeat(COPIES, *[1] * (x.dim() - 1))
    return measure.closure_test(again, symmetry, element, steps=steps, seed=seed).accuracy > BY_HEART
