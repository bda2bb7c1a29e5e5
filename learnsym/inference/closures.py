"""The test of one element: are moved examples told from those that are not?"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from learnsym import measure
from learnsym.inference.candidates import Candidate
from learnsym.inference.views import positioned


def closure_of_element(x: Tensor, candidate: Candidate, *, steps: int, seed: int) -> dict[str, Any]:
    """The closure test of an element, as plain values.

    Args:
        x: examples.
        candidate: whose element moves them.
        steps: training steps per fold.
        seed: of folds and networks.

    Returns:
        p-value, share of pairs told apart and number of pairs; or the `reason` why there is no test.
    """
    symmetry, element = candidate.symmetry, candidate.element
    assert symmetry is not None and element is not None  # since it fits
    shown = positioned(x, symmetry) if x.dim() == 3 else x
    try:
        closure = measure.closure_test(shown, symmetry, element, steps=steps, seed=seed)
    except ValueError as error:
        return {"reason": str(error)}
    return {"p": closure.p_value, "accuracy": closure.accuracy, "pairs": len(x), "flags": list(closure.flags)}
