"""The posterior of the variance of residual pathways, from their weights alone.

Legend of axes: `n` weights.
"""

from __future__ import annotations

from torch import nn

from learnsym.degrees import Degree
from learnsym.learners import learners
from learnsym.relax import ResidualPathway
from learnsym.relax.residual_pathway import share_degree
from learnsym.statistics import LEVEL, check_level


def residual_variances(model: nn.Module, level: float = LEVEL) -> list[Degree]:
    """The variance of the free kernel of every residual pathway, with a credible interval.

        F_i ~ N(0, v / fan_in),  p(v) ∝ 1 / v    =>    v | F ~ S / χ²_n,    S = fan_in Σ_i F_i²

    The conjugate posterior of the prior of Finzi et al. for a layer as it is: 1 is the variance of usual initial
    weights, 0 an exact layer. It holds that the layer has few weights, and neither the noise of training nor that the
    prior of training has shrunk them. The estimate is the posterior median.

    Reference: Finzi, Benton, Wilson, "Residual pathway priors for soft equivariance constraints" (2021), arXiv
    2112.01388, whose variance is fixed.

    Args:
        model: with layers `relax.ResidualPathway`.
        level: of the intervals.

    Raises:
        ValueError: for a model without such a layer, or a level outside (0, 1).

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> free = nn.Conv2d(8, 8, 3, bias=False)
        >>> layer = ls.relax.ResidualPathway(ls.equivariant.GroupConv2d(fields, fields, 3), free)
        >>> (found,) = ls.posterior.residual_variances(layer)
        >>> found.low < found.estimate < found.high < 1
        True
    """
    check_level(level)
    layers = [(site, layer) for site, layer in learners(model) if isinstance(layer, ResidualPathway)]
    if not layers:
        raise ValueError("model: has no ResidualPathway, must have at least one; see laplace_degrees for other layers")
    return [_degree(site, layer, level) for site, layer in layers]


def _degree(site: str, layer: ResidualPathway, level: float) -> Degree:
    from scipy.stats import chi2

    free = layer.free.detach().double()
    total = float(free[0].numel() * free.square().sum())
    low, middle, high = (total / chi2.isf(p, free.numel()) for p in ((1 - level) / 2, 0.5, (1 + level) / 2))
    fields = {"estimate": middle, "low": low, "high": high, "level": level, "method": "residual pathway, conjugate"}
    return _named(share_degree(site, layer.equivariant, **fields))


def _named(degree: Degree) -> Degree:
    return Degree(**{**vars(degree), "generator": "residual variance"})
