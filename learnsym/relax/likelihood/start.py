"""Where a likelihood starts."""

from __future__ import annotations

import torch

from learnsym.relax.likelihood.likelihood import Likelihood
from learnsym.representations import irreps


def peaked(likelihood: Likelihood, height: float) -> Likelihood:
    """A likelihood with a bump at the identity: nearly free when it is high.

        log λ(g) = height Σ_ψ d_ψ tr ψ(g) / Σ_ψ d_ψ²  + constant

    No other element then becomes the origin. From a uniform start the free kernel has no gradient, and layers stay
    exact for long.

    Args:
        likelihood: changed in place.
        height: of the bump in nats; 0 for a uniform start.

    Returns:
        The likelihood.

    Example:
        >>> likelihood = ls.relax.peaked(ls.relax.Likelihood(ls.groups.Cyclic(4)), 4.0)
        >>> bool(likelihood.masses()[0] > 0.9)
        True
    """
    elements = likelihood.elements()
    bumps = [
        irrep.size * irrep(elements).diagonal(dim1=-2, dim2=-1).sum(-1)
        for irrep in irreps(likelihood.group, likelihood.band_limit)
    ]
    bump = torch.stack(bumps).sum(0)
    likelihood.assign(height * bump / bump.max())
    return likelihood
