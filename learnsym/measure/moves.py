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
from learnsym.measure._probe import check_examples
from learnsym.measure._reader import Reader
from learnsym.parts import Whole, examples
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, eq=False)
class Moves:
    """The elements that move the examples of a measurement, the same for the same seed.

    Raises:
        ValueError: for no samples.
    """

    symmetry: Symmetry
    samples: int = 8
    """Number `S` of group elements per example."""
    distribution: GroupDistribution | None = None
    """Of the elements; the Haar measure when None."""
    seed: int = 0
    """Of elements and partners."""

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples: got {self.samples}, must be >= 1; 8 is usual")

    def stratified(self, x: Whole) -> Float[Tensor, "S B n n"]:
        """Elements spread evenly over the distribution."""
        check_moved(x, self.symmetry)
        law = distribution_or_haar(self.symmetry.group, self.distribution)
        return matching(stratified_elements(law, examples(x), self.samples, self.seed), self.symmetry.moving(x))

    def orbit(self, x: Whole, identity: bool = True) -> Float[Tensor, "S B n n"]:
        """All elements of a finite group of at most `samples`, without its identity if so said; else `stratified`."""
        group = self.symmetry.group
        listed = group.components if identity else group.components[1:]
        complete = group.order == len(group.components)
        if self.distribution is None and complete and 0 < len(listed) <= self.samples:
            check_moved(x, self.symmetry)
            return matching(listed, self.symmetry.moving(x))[:, None].expand(-1, examples(x), -1, -1)
        return self.stratified(x)

    def draws(self, x: Whole) -> Draws:
        """All elements of a finite group of at most `samples`; else independent draws, whose bias can be corrected."""
        return draws_of(self.symmetry.moving(x), self.symmetry, self.samples, self.distribution, self.seed)

    def partners(self, x: Whole) -> Tensor:
        """An unrelated example for each one, see `pairing`."""
        return pairing(examples(x), self.seed)

    def pairs(self, read: Reader, x: Whole, elements: Float[Tensor, "S B n n"]) -> Iterator[tuple[Tensor, Tensor]]:
        """`f(g·x)` beside `g·f(x)` for one element per example after the other."""
        outputs = read(x)
        for g in elements:
            yield read.moved(self.symmetry.on_input, g, x), self.symmetry.on_output(g, outputs)


def check_moved(x: Whole, symmetry: Symmetry) -> None:
    """Raise ValueError when examples hold no tensor, or not what the symmetry moves."""
    check_examples(x)
    symmetry.moving(x)  # or the sentence that it is not said which
    symmetry.on_input.check_data(symmetry.group, x)


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
    # unsigned integers would wrap round
    return (a.double() - b.double()).reshape(len(a), -1).square().sum(1)


def check_elements(elements: Float[Tensor, "K n n"], group: Group, name: str) -> None:
    """Raise ValueError when there are none, or one that is no element of the group; `name` is that of the argument."""
    if not len(elements) or elements.shape[-1] != group.n or not bool(group.contains(elements, atol=1e-4).all()):
        raise ValueError(
            f"{name}: got {len(elements)} matrices of size {elements.shape[-1]}, must be elements of {group.name}; "
            "make them with this group"
        )
