"""The moves of a measurement: which group elements move which example, and what a model returns after them.

Legend of axes: `B` examples, `S` elements per example, `K` elements for all, `n` size of their matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.distributions import GroupDistribution
from learnsym.distributions.draws import Draws, distribution_or_haar, draws_of, matching, stratified_elements
from learnsym.groups import Group
from learnsym.measure._probe import (
    Model,
    Output,
    check_batch_size,
    check_outputs,
    check_probe,
    outputs_of,
    tensor_of,
)
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, eq=False)
class Moves:
    """The elements that move the examples of a measurement, the same for the same seed, and the size of its batches.

    Raises:
        ValueError: for no samples or empty batches.
    """

    symmetry: Symmetry
    samples: int = 8
    """Number `S` of group elements per example."""
    distribution: GroupDistribution | None = None
    """Of the elements; the Haar measure when None."""
    seed: int = 0
    """Of elements and partners."""
    batch_size: int = 64
    """Examples per call of a model; does not change a result."""

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples: got {self.samples}, must be >= 1; 8 is usual")
        check_batch_size(self.batch_size)

    def stratified(self, x: Tensor) -> Float[Tensor, "S B n n"]:
        """Elements spread evenly over the distribution."""
        self.symmetry.on_input.check_data(self.symmetry.group, x)
        law = distribution_or_haar(self.symmetry.group, self.distribution)
        return matching(stratified_elements(law, len(x), self.samples, self.seed), x)

    def orbit(self, x: Tensor, identity: bool = True) -> Float[Tensor, "S B n n"]:
        """All elements of a finite group of at most `samples`, without its identity if so said; else `stratified`."""
        group = self.symmetry.group
        listed = group.components if identity else group.components[1:]
        complete = group.order == len(group.components)
        if self.distribution is None and complete and 0 < len(listed) <= self.samples:
            self.symmetry.on_input.check_data(group, x)
            return matching(listed, x)[:, None].expand(-1, len(x), -1, -1)
        return self.stratified(x)

    def draws(self, x: Tensor) -> Draws:
        """All elements of a finite group of at most `samples`; else independent draws, whose bias can be corrected."""
        return draws_of(x, self.symmetry, self.samples, self.distribution, self.seed)

    def partners(self, x: Tensor) -> Tensor:
        """An unrelated example for each one, see `pairing`."""
        return pairing(len(x), self.seed)

    def batches(self, *tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """The same examples of each tensor, `batch_size` at a time."""
        return zip(*(tensor.split(self.batch_size) for tensor in tensors), strict=True)

    def outputs(self, model: Model, x: Tensor, output: Output | None = None) -> Tensor:
        """`f(x)`, see `outputs_of`."""
        return outputs_of(model, x, output, self.batch_size)

    def moved_outputs(self, model: Model, x: Tensor, g: Float[Tensor, "B n n"], output: Output | None = None) -> Tensor:
        """`f(g·x)`; no more than `batch_size` moved examples exist at a time."""
        check_probe(model, x, self.batch_size)
        move = self.symmetry.on_input
        with torch.no_grad():
            moved = [tensor_of(model(move(h, part)), len(part), output) for part, h in self.batches(x, g)]
        outputs = torch.cat(moved)
        check_outputs(outputs)
        return outputs

    def pairs(
        self, model: Model, x: Tensor, elements: Float[Tensor, "S B n n"], output: Output | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """`f(g·x)` beside `g·f(x)` for one element per example after the other."""
        outputs = self.outputs(model, x, output)
        for g in elements:
            yield self.moved_outputs(model, x, g, output), self.symmetry.on_output(g, outputs)


def pairing(count: int, seed: int) -> Tensor:
    """A random partner `j(i) != i` for each of `count` examples."""
    if count < 2:
        raise ValueError(
            f"x: got {count} examples, must be >= 2; the error is relative to the distance between examples"
        )
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[(order.argsort() + 1) % count]


def squared_distance(a: Tensor, b: Tensor) -> Float[Tensor, "B"]:
    """`|a_i - b_i|²` for each example."""
    return (a - b).reshape(len(a), -1).double().square().sum(1)


def check_elements(elements: Float[Tensor, "K n n"], group: Group, name: str) -> None:
    """Raise ValueError when there are none, or one that is no element of the group; `name` is that of the argument."""
    if not len(elements) or elements.shape[-1] != group.n or not bool(group.contains(elements, atol=1e-4).all()):
        raise ValueError(
            f"{name}: got {len(elements)} matrices of size {elements.shape[-1]}, must be elements of {group.name}; "
            "make them with this group"
        )
