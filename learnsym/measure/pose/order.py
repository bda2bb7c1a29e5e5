"""The order of a law of poses: the largest `N` such that the law is the same after a turn by `1/N` of the circle.

`R_x(k)`, the `k`-th circular harmonic of the posterior of `x`, has mean `|P(k)|²` over examples, with `P(k)` that of
the law: real, and zero unless `N` divides `k`.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

ORDERS = (2, 3, 4, 6, 8)
HARMONICS = 8
PRESENT, SURE = 0.1, 6.0
"""Size, and ratio to its standard error, above which a harmonic counts as present."""
NEGLIGIBLE, ABSENT = 0.01, 4.0
"""Size, or ratio to its standard error, below which a harmonic counts as absent."""


def harmonics(posterior: Float[Tensor, "N G"]) -> tuple[Float[Tensor, "H"], Float[Tensor, "H"]]:
    """Mean real part of the harmonics 1, 2, ..., and its ratio to the standard error over examples."""
    cells = posterior.shape[1]
    beta = (torch.arange(cells) - cells // 2) * (2 * math.pi / cells)
    values = posterior @ torch.cos(beta[:, None] * torch.arange(1, HARMONICS + 1))
    mean = values.mean(0)
    return mean, mean / (values.std(0) / math.sqrt(len(values)) + 1e-12)


def order_of(posterior: Float[Tensor, "N G"]) -> int:
    """The order of the law, 1 when no proper turn leaves it the same or when it is flat."""
    mean, ratio = harmonics(posterior)
    for order in ORDERS:
        others = torch.tensor([k - 1 for k in range(1, HARMONICS + 1) if k % order])
        absent = (mean[others].abs() < NEGLIGIBLE) | (ratio[others].abs() < ABSENT)
        if bool(absent.all()) and float(mean[order - 1]) > PRESENT and float(ratio[order - 1]) > SURE:
            return order
    return 1
