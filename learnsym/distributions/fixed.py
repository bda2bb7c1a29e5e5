"""A distribution that is not learned."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from learnsym.degrees import GIVEN, Degree
from learnsym.distributions._distribution import GroupDistribution, LearnableDistribution


class Fixed(LearnableDistribution):
    """A distribution held fixed: a module without parameters in the place of a learnable one.

    Args:
        distribution: the distribution; its tensors become buffers, so that they move and are saved with the module.

    Example:
        >>> fixed = ls.distributions.Fixed(ls.distributions.LieBox(ls.groups.SO2(), torch.tensor([1.0])))
        >>> list(fixed.parameters())
        []
    """

    def __init__(self, distribution: GroupDistribution) -> None:
        super().__init__()
        self.group = distribution.group
        self._names = {key: key.replace(".", "_") for key in distribution.tensors()}
        tensors = {key: value.detach().clone() for key, value in distribution.tensors().items()}
        for key, name in self._names.items():
            self.register_buffer(name, tensors[key])
        self._template = distribution.replace(tensors)

    def forward(self, x: Tensor | None = None) -> GroupDistribution:
        return self._template.replace({key: getattr(self, name) for key, name in self._names.items()})

    def deficit(self, x: Tensor | None = None) -> Tensor:
        """0: nothing is learned, so that a regulariser has nothing to reward."""
        return self._template.reference.new_zeros(())

    def degrees(self, site: str) -> list[Degree]:
        return [replace(degree, reason=GIVEN) for degree in self().degrees(site, "fixed")]

    def terms(self) -> tuple[str, ...]:
        """None: nothing is learned."""
        return ()
