"""Calibration of posteriors over poses, on held-out examples that were moved by known elements.

The right offset of an example that was moved, and moved back, is 0, up to the bins of the network. With `p_i` its
posterior and offsets `o` near 0, the power `b` in

    max over b of  mean_i mean_{o near 0} log [ p_i(o)^b / sum_o' p_i(o')^b ]

is 1 when the posteriors are as sure as they are right (temperature scaling, Guo et al. 2017, arXiv:1706.04599); an
undertrained network is less sure than it might be, `b > 1`, and one that has learned by heart is too sure, `b < 1`.
Legend of axes: `N` examples, `G` offsets, `P` powers.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

NEAR = 4
"""Cells to each side of 0 that a network with bins of four cells does not tell from 0."""
POWERS = torch.logspace(-3, 3, 97, base=2.0)


def confidence_of(posterior: Float[Tensor, "N G"]) -> float:
    """The power of the posteriors that gives the right offsets, in the middle, the largest likelihood.

    Example:
        >>> flat = torch.full((100, 144), 1.0)
        >>> flat[:, 68:77] += 0.5
        >>> confidence_of(flat / flat.sum(1, keepdim=True)) > 2
        True
    """
    log, middle = posterior.clamp(min=1e-9).log(), posterior.shape[1] // 2
    right = log[:, middle - NEAR : middle + NEAR + 1].mean(1)
    gains = [(power * right - (power * log).logsumexp(1)).mean() for power in POWERS]
    return float(POWERS[int(torch.stack(gains).argmax())])
