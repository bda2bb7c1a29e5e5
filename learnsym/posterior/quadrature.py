"""The posterior of one degree by quadrature, without chance.

Legend of axes: `G` quantiles of the slab.
"""

from __future__ import annotations

import torch

from learnsym.posterior.diagnostics import Diagnostics
from learnsym.posterior.draws import Draws
from learnsym.posterior.likelihood import DegreeLikelihood
from learnsym.posterior.prior import SpikedPrior

QUANTILES = 2000


@torch.no_grad()
def by_quadrature(likelihood: DegreeLikelihood, prior: SpikedPrior) -> Draws:
    """Point masses at none and full, and the midpoints of quantiles of the slab, weighed by the likelihood.

    Raises:
        ValueError: for more than one degree.
    """
    if len(likelihood.axes) != 1:
        raise ValueError(f"method: got 'quadrature' for {len(likelihood.axes)} degrees, must be for one; take 'nuts'")
    u = (torch.arange(QUANTILES, dtype=torch.float64) + 0.5)[:, None] / QUANTILES
    s = torch.cat([torch.zeros(1, 1).double(), prior.slab_quantile(u), torch.ones(1, 1).double()])
    none, slab, full = prior.spikes().double()[0]
    masses = torch.cat([none[None], (slab / QUANTILES).expand(QUANTILES), full[None]])
    weights = (masses.log() + likelihood(s).sum(-1)).softmax(0)
    return Draws(s=s, weights=weights, diagnostics=Diagnostics(method="quadrature"))
