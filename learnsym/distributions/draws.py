"""Group elements to move examples by: the same for the same seed, so that models are compared under equal moves.

Legend of axes: `B` examples, `S` group elements, `n` size of the matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.distributions._distribution import GroupDistribution
from learnsym.distributions.haar import Haar
from learnsym.distributions.sobol import midpoints
from learnsym.groups import Group
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Elements for each example: the whole group when `is_whole`, else independent draws."""

    elements: Float[Tensor, "S B n n"]
    is_whole: bool


def distribution_or_haar(group: Group, distribution: GroupDistribution | None) -> GroupDistribution:
    """The distribution itself, the Haar measure of a compact group when it is None.

    Raises:
        ValueError: for None when the group is not compact.
    """
    if distribution is not None:
        return distribution
    if not group.is_compact:
        raise ValueError(
            f"distribution: got None, but {group.name} is not compact and has no uniform law; "
            "pass one, e.g. ls.distributions.LieBox(group, half_width)"
        )
    return Haar(group, dtype=torch.float64)


def stratified_elements(
    distribution: GroupDistribution, examples: int, samples: int, seed: int
) -> Float[Tensor, "S B n n"]:
    """`samples` elements for each example, spread evenly over the distribution, shifted at random per example."""
    generator = torch.Generator().manual_seed(seed)
    shift = torch.rand(1, examples, distribution.uniforms, generator=generator)
    # a random shift of evenly spread points (Cranley and Patterson 1976): unbiased, and examples stay independent
    u = (midpoints(samples, distribution.uniforms, seed)[:, None] + shift) % 1.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return distribution.from_uniform(u.to(distribution.reference)).detach()
        except ValueError:
            return distribution.rsample(torch.Size((samples, examples))).detach()


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


def matching(elements: Tensor, x: Tensor) -> Tensor:
    """Elements on the device of the data, and in their dtype when that is a floating one."""
    return elements.to(x) if x.is_floating_point() else elements.to(x.device)
