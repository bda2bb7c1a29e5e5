"""The moves of a finite measurement: which group elements, and what a model returns after them.

Legend of axes: `B` examples, `S` elements per example, `K` elements for all, `n` size of their matrices.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.distributions import GroupDistribution
from learnsym.distributions.draws import distribution_or_haar, matching, stratified_elements
from learnsym.groups import Group
from learnsym.measure._probe import Model, Output, check_outputs, check_probe, outputs_of, tensor_of
from learnsym.symmetry import Symmetry


def orbit(
    x: Tensor, symmetry: Symmetry, samples: int, distribution: GroupDistribution | None, seed: int
) -> Float[Tensor, "S B n n"]:
    """All elements of a finite group of at most `samples`, when no distribution is given; else draws."""
    return _listed_or_drawn(x, symmetry, symmetry.group.components, samples, distribution, seed)


def proper_orbit(
    x: Tensor, symmetry: Symmetry, samples: int, distribution: GroupDistribution | None, seed: int
) -> Float[Tensor, "S B n n"]:
    """As `orbit`, a listed group without its identity."""
    return _listed_or_drawn(x, symmetry, symmetry.group.components[1:], samples, distribution, seed)


def pairs(
    model: Model,
    x: Tensor,
    symmetry: Symmetry,
    elements: Float[Tensor, "S B n n"],
    output: Output | None,
    batch_size: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """`f(g·x)` beside `g·f(x)` for one element per example after the other."""
    outputs = outputs_of(model, x, output, batch_size)
    for g in elements:
        yield moved_outputs(model, x, symmetry, g, output, batch_size), symmetry.on_output(g, outputs)


def moved_outputs(
    model: Model, x: Tensor, symmetry: Symmetry, g: Float[Tensor, "B n n"], output: Output | None, batch_size: int
) -> Tensor:
    """`f(g·x)`; no more than `batch_size` moved examples exist at a time."""
    check_probe(model, x, batch_size)
    with torch.no_grad():
        parts = zip(x.split(batch_size), g.split(batch_size), strict=True)
        outputs = torch.cat([tensor_of(model(symmetry.on_input(h, part)), len(part), output) for part, h in parts])
    check_outputs(outputs)
    return outputs


def check_elements(elements: Float[Tensor, "K n n"], group: Group, name: str) -> None:
    """Raise ValueError when there are none, or one that is no element of the group; `name` is that of the argument."""
    if not len(elements) or elements.shape[-1] != group.n or not bool(group.contains(elements, atol=1e-4).all()):
        raise ValueError(
            f"{name}: got {len(elements)} matrices of size {elements.shape[-1]}, must be elements of {group.name}; "
            "make them with this group"
        )


def squared_distance(a: Tensor, b: Tensor) -> Float[Tensor, "B"]:
    """`|a_i - b_i|²` for each example."""
    return (a - b).flatten(1).double().square().sum(1)


def _listed_or_drawn(
    x: Tensor,
    symmetry: Symmetry,
    listed: Tensor,
    samples: int,
    distribution: GroupDistribution | None,
    seed: int,
) -> Float[Tensor, "S B n n"]:
    symmetry.on_input.check_data(symmetry.group, x)
    if samples < 1:
        raise ValueError(f"samples: got {samples}, must be >= 1; 8 is usual")
    complete = symmetry.group.order == len(symmetry.group.components)
    if distribution is None and complete and 0 < len(listed) <= samples:
        return matching(listed, x)[:, None].expand(-1, len(x), -1, -1)
    law = distribution_or_haar(symmetry.group, distribution)
    return matching(stratified_elements(law, len(x), samples, seed), x)
