"""Group elements for a measurement: the same for the same seed, so that models are compared under equal moves."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.distributions import GroupDistribution, Haar, midpoints
from learnsym.groups import Group


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


def matching(elements: Tensor, x: Tensor) -> Tensor:
    """Elements on the device of the data, and in their dtype when that is a floating one."""
    return elements.to(x) if x.is_floating_point() else elements.to(x.device)
