"""Pearson's correlation, example by example.

Legend of axes: `B` examples, `M` numbers per example.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.statistics import Estimate

CONSTANT = 1e-12
"""Standard deviation over root mean square below which numbers are equal."""


def correlation(a: Float[Tensor, "B *M"], b: Float[Tensor, "B *M"]) -> Float[Tensor, "B"]:
    """Over all numbers of an example; 0 where those of one side have no variance."""
    return (_standardised(a) * _standardised(b)).sum(1)


def above_chance(r: Float[Tensor, "B"], chance: Float[Tensor, "B"]) -> Estimate:
    """Correlations on the scale where the mean of `chance` is 0 and exact is 1; `c` counts in the standard error."""
    c = chance.mean()
    # features that do not depend on the image have c = 1 and no score but 0
    room = (1 - c).clamp_min(CONSTANT**0.5)
    scores = (r - c) / room
    # d/dc (r - c) / (1 - c) = (s - 1) / (1 - c) for s = (r - c) / (1 - c)
    return Estimate.of(scores, linear=scores + (scores.mean() - 1) * (chance - c) / room)


def _standardised(a: Float[Tensor, "B *M"]) -> Float[Tensor, "B N"]:
    """Centred and of unit length, or 0."""
    a = a.flatten(1).double()
    centred = a - a.mean(1, keepdim=True)
    length = centred.norm(dim=1, keepdim=True)
    # the mean of equal numbers is rounded
    constant = length <= CONSTANT * a.norm(dim=1, keepdim=True)
    return torch.where(constant, torch.zeros_like(a), centred / length)
