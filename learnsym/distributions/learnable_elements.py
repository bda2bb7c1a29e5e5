"""Learnable distributions on finite groups and on groups of several components, and the default for each group."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.distributions._distribution import LearnableDistribution
from learnsym.distributions._elements import listed_elements
from learnsym.distributions._precision import at_least_float32
from learnsym.distributions.categorical import GroupCategorical, entropy_of
from learnsym.distributions.components import ComponentMixture
from learnsym.distributions.learnable import Caps, LearnableBox
from learnsym.distributions.product import LearnableProduct, factors
from learnsym.groups import Group


class LearnableCategorical(LearnableDistribution):
    """A learnable `GroupCategorical` that does not depend on the input.

    Draws carry no gradient unless `straight_through`: the objectives of this library add that of the score.

    Args:
        group: a finite group whose elements are listed.
        init: the probability of all elements but the identity together, in (0, 1), shared equally.
        straight_through: whether draws carry the (biased) gradient of the mean matrix.

    Raises:
        ValueError: for a group that is not finite or an `init` out of range.

    Example:
        >>> print(ls.distributions.LearnableCategorical(ls.groups.Cyclic(2), init=0.25).degrees("input")[0])
        input: C_2 rotation by 180 0.25 probability (task, augerino)...
    """

    def __init__(self, group: Group, init: float = 0.1, *, straight_through: bool = False) -> None:
        super().__init__()
        self.group = group
        self.straight_through = straight_through
        self.logits = nn.Parameter(initial_logits(len(listed_elements(group)), init))

    def forward(self, x: Tensor | None = None) -> GroupCategorical:
        return GroupCategorical(self.group, self.logits, validate_args=False, straight_through=self.straight_through)

    @property
    def uniforms(self) -> int:
        return 1

    def deficit(self, x: Tensor | None = None) -> Float[Tensor, ""]:
        """`log K - entropy`: the KL divergence to the uniform law."""
        return uniform_deficit(self.logits)

    def degrees(self, site: str) -> list[Degree]:
        return self().degrees(site, "augerino")


class LearnableComponents(LearnableDistribution):
    """A learnable box on the identity component with learnable probabilities of the components: O(2), O(3), E(3).

    Args:
        group: a group with a Lie algebra and several components.
        init: half-widths at the start as for `LearnableBox`; as a number, also the probability of all components but
            that of the identity together (a tensor of half-widths sets that to 0.1).
        caps: as for `LearnableBox`.
        straight_through: as for `LearnableCategorical`.
    """

    answers_for = ("box",)

    def __init__(
        self,
        group: Group,
        init: float | Float[Tensor, "D"] = 0.3,
        caps: Caps = None,
        *,
        straight_through: bool = False,
    ) -> None:
        super().__init__()
        self.straight_through = straight_through
        self.group = group
        self.box = LearnableBox(group, init, caps)
        self.logits = nn.Parameter(initial_logits(len(group.components), 0.1 if isinstance(init, Tensor) else init))

    @property
    def half_width(self) -> Float[Tensor, "D"]:
        """`h` of the box, differentiable."""
        return self.box.half_width

    def forward(self, x: Tensor | None = None) -> ComponentMixture:
        return ComponentMixture(self.box(x), self.logits, False, straight_through=self.straight_through)

    @property
    def uniforms(self) -> int:
        return 1 + self.group.dim

    def deficit(self, x: Tensor | None = None) -> Float[Tensor, ""]:
        """The mean of the divergences of the `D` generators and of the components."""
        return (self.group.dim * self.box.deficit(x) + uniform_deficit(self.logits)) / (self.group.dim + 1)

    def degrees(self, site: str) -> list[Degree]:
        return self().degrees(site, "augerino")


def learnable(group: Group, init: float = 0.3) -> LearnableDistribution:
    """The learnable distribution that fits a group: box, categorical, both for several components, or a product.

    Args:
        group: any group whose finite part is listed.
        init: half-widths as a fraction of the caps; probabilities of all elements but the identity together.

    Example:
        >>> type(ls.distributions.learnable(ls.groups.O2())).__name__
        'LearnableComponents'
    """
    if group.dim == 0:
        return LearnableCategorical(group, init)
    if len(group.components) == 1:
        return LearnableBox(group, init)
    if factors(group):
        return LearnableProduct(*[learnable(factor, init) for factor in factors(group)])
    return LearnableComponents(group, init)


def initial_logits(count: int, init: float) -> Float[Tensor, "K"]:
    """Logits that give the first of `count` elements the probability `1 - init` and the others equal shares."""
    if not 0 < init < 1:
        raise ValueError(f"init: got {init}, must be in (0, 1); hold a distribution fixed with Fixed instead")
    if count == 1:
        return torch.zeros(1)
    return torch.tensor([math.log(1 - init), *[math.log(init / (count - 1))] * (count - 1)])


def uniform_deficit(logits: Float[Tensor, "K"]) -> Float[Tensor, ""]:
    """`log K - entropy`."""
    logits = at_least_float32(logits)
    return math.log(logits.shape[-1]) - entropy_of(logits)
