"""Rewards for wide distributions over group elements, which stop a learned augmentation from collapsing.

Each takes a learnable distribution and the inputs (which matter when it depends on them) and returns a scalar to
minimise.
"""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from learnsym.distributions import LearnableDistribution

Regulariser = Callable[[LearnableDistribution, Tensor | None], Tensor]


def norm(distribution: LearnableDistribution, x: Tensor | None = None) -> Float[Tensor, ""]:
    """`-||w||_2` of the full widths `w = 2 h`: what the public code of Augerino minimises.

    Depends on the units of the generators. Reference: Benton et al. (2020), arXiv 2010.11882, code.
    """
    return -distribution(x).widths().square().sum(-1).clamp(min=1e-12).sqrt().mean()


def squared_norm(distribution: LearnableDistribution, x: Tensor | None = None) -> Float[Tensor, ""]:
    """`-||w||_2^2` of the full widths `w = 2 h`: what the paper of Augerino minimises.

    Depends on the units of the generators. Reference: Benton et al. (2020), arXiv 2010.11882, equation 5.
    """
    return -distribution(x).widths().square().sum(-1).mean()


def sparse_norm(distribution: LearnableDistribution, x: Tensor | None = None) -> Float[Tensor, ""]:
    """`-(||w||_2 - 0.4 ||w||_1)` of the full widths `w = 2 h`: widens few generators and closes the others.

    The norm alone pulls at every width, so that a generator which the data neither ask for nor forbid drifts with the
    noise of its gradient. Here the pull on one width is `w_i / ||w||_2 - 0.4`: positive for the generators that carry
    the norm, also when six of them are equal (`1 / sqrt(6) = 0.41`), negative for the rest, which go to zero from any
    start. Depends on the units of the generators. The difference of norms is that of Yin, Lou, He, Xin, "Minimization
    of l1-l2 for compressed sensing" (2015), SIAM J. Sci. Comput. 37.
    """
    w = distribution(x).widths()
    return (0.4 * w.sum(-1) - w.square().sum(-1).clamp(min=1e-12).sqrt()).mean()


def entropy(distribution: LearnableDistribution, x: Tensor | None = None) -> Float[Tensor, ""]:
    """`mean_i log(cap_i / h_i)`: the KL divergence per generator to the widest law, that of the caps.

    Does not depend on how a generator is scaled: `h_i` and `cap_i` scale together. Its pull `1 / h_i` is strong where
    a width is small and gone at the cap, so one weight fits narrow and wide ranges better.
    """
    return distribution.deficit(x).mean()


regularisers: dict[str, Regulariser] = {
    "norm": norm,
    "squared_norm": squared_norm,
    "sparse_norm": sparse_norm,
    "entropy": entropy,
}
