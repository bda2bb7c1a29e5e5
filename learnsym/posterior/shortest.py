"""Medians and shortest intervals of weighted draws, which may lie on one another.

Legend of axes: `R` draws.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

ROUNDING = 1e-9


def shortest(values: Float[Tensor, "R"], weights: Float[Tensor, "R"], level: float) -> tuple[float, float]:
    """The ends of the shortest interval that holds at least a share `level` of the weight.

    With a level above a half it holds the median.

    Raises:
        ValueError: for a level that is not above a half and below 1.

    Example:
        >>> from learnsym.posterior.shortest import shortest
        >>> shortest(torch.tensor([0.0, 0.0, 1.0, 5.0]), torch.tensor([0.4, 0.3, 0.25, 0.05]), 0.9)
        (0.0, 1.0)
    """
    if not 0.5 < level < 1:
        raise ValueError(f"level: got {level}, must be above 0.5 and below 1; 0.9 is usual")
    ordered, order = values.sort()
    mass = weights[order].double().cumsum(0)
    before = torch.cat([mass.new_zeros(1), mass[:-1]])
    ends = torch.searchsorted(mass, before + level * mass[-1] - ROUNDING)
    starts = (ends < len(mass)).nonzero()[:, 0]
    length = ordered[ends[starts]] - ordered[starts]
    first = starts[length.argmin()]
    return float(ordered[first]), float(ordered[ends[first]])


def weighted_median(values: Float[Tensor, "R"], weights: Float[Tensor, "R"]) -> float:
    """The smallest value with at least half of the weight at or below it."""
    ordered, order = values.sort()
    mass = weights[order].double().cumsum(0)
    return float(ordered[torch.searchsorted(mass, 0.5 * mass[-1] - ROUNDING)])
