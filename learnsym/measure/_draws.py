"""Group elements for statistics whose bias is corrected: a whole small group, or independent draws."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.distributions import GroupDistribution
from learnsym.measure._elements import distribution_or_haar
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Elements for each example: the whole group when `is_whole`, else independent draws."""

    elements: Float[Tensor, "S B n n"]
    is_whole: bool


def draws_of(
    x: Shaped[Tensor, "B ..."], symmetry: Symmetry, samples: int, distribution: GroupDistribution | None, seed: int
) -> Draws:
    """All elements of a group of at most `samples` when no distribution is given; else `samples` draws per example.

    The draws are not stratified: a bias that is corrected by their number needs them to be independent.
    """
    group = symmetry.group
    if samples < 2:
        raise ValueError(f"samples: got {samples}, must be >= 2 to tell the elements of an orbit apart; 8 is usual")
    if distribution is None and group.order == len(group.components) <= samples:
        return Draws(elements=group.components[:, None].expand(-1, len(x), -1, -1), is_whole=True)
    law = _reproducible(distribution_or_haar(group, distribution))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return Draws(elements=law.rsample(torch.Size((samples, len(x)))).detach(), is_whole=False)


def _reproducible(law: GroupDistribution) -> GroupDistribution:
    """The law on the CPU in double precision: the same draws for any device, and inverses exact to rounding."""
    return law.replace({name: value.detach().double().cpu() for name, value in law.tensors().items()})
