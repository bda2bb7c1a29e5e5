"""The test of one element: are moved examples told from those that are not?"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from learnsym import measure
from learnsym._memory import MEMORY
from learnsym.inference.candidates import Candidate
from learnsym.inference.views import positioned
from learnsym.measure.pose.closure import LEVEL
from learnsym.symmetry import Symmetry

FEW, COPIES, BY_HEART = 16, 8, 0.75
"""Examples that a network may know by heart, copies of each, and the share that it must then tell."""
ALIKE = 0.01
"""Relative distance of moved examples from themselves below which they are the same."""


def closure_of_element(
    x: Tensor, candidate: Candidate, *, steps: int, seed: int, memory: float = MEMORY
) -> dict[str, Any]:
    """The closure test of an element, as plain values.

    Args:
        x: examples.
        candidate: whose element moves them.
        steps: training steps per fold.
        seed: of folds and networks.
        memory: limit in GiB.

    Returns:
        p-value, share of pairs told apart, number of pairs, and whether the network can tell moves at all; or the
        `reason` why there is no test.
    """
    symmetry, element = candidate.symmetry, candidate.element
    assert symmetry is not None and element is not None  # since it fits
    shown = positioned(x, symmetry) if x.dim() == 3 else x
    try:
        closure = measure.closure_test(shown, symmetry, element, steps=steps, seed=seed, memory=memory)
    except ValueError as error:
        return {"reason": str(error)}
    can_learn = closure.p_value < LEVEL or _can_learn(shown, symmetry, element, steps, seed, memory)
    return {
        "p": closure.p_value,
        "accuracy": closure.accuracy,
        "pairs": len(x),
        "can_learn": can_learn,
        "flags": list(closure.flags),
    }


def _can_learn(x: Tensor, symmetry: Symmetry, element: Tensor, steps: int, seed: int, memory: float) -> bool:
    """Whether the same training tells a move of a few examples that it has seen, or there is nothing to tell."""
    few = x[:FEW]
    orbit = _orbit(few, symmetry, element)
    if float((orbit[1] - few).norm()) < ALIKE * float(few.norm()):
        return True
    again = _one_sided(orbit, seed).repeat(COPIES, *[1] * (x.dim() - 1))
    return measure.closure_test(again, symmetry, element, steps=steps, seed=seed, memory=memory).accuracy > BY_HEART


def _orbit(x: Tensor, symmetry: Symmetry, element: Tensor) -> Tensor:
    """Examples moved by all powers of the element, the first being those that are not moved: `(order, N, ...)`."""
    power, moved = element, [x]
    while not torch.allclose(power, torch.eye(len(element))):
        moved.append(symmetry.on_input(power.to(x).expand(len(x), -1, -1), x))
        power = power @ element
    return torch.stack(moved)


def _one_sided(orbit: Tensor, seed: int) -> Tensor:
    """Of each orbit the member that is most like a random picture: a few examples are then never closed by chance."""
    like = torch.randn(orbit.shape[2:], generator=torch.Generator().manual_seed(seed)).to(orbit)
    best = (orbit * like).flatten(2).sum(2).argmax(0)
    return orbit[best, torch.arange(orbit.shape[1])]
