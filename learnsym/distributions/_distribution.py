"""What a distribution over group elements is, and the module that learns one.

Legend of axes: `*S` sample shape (`*#S`: broadcasts), `*B` batch shape, `n` matrix size, `D` algebra dimension,
`Q` uniform numbers an element needs.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from pyro.distributions import TorchDistribution
from torch import Tensor, nn
from torch.distributions import constraints

from learnsym.degrees import ONE_TRAINING, Degree
from learnsym.distributions._precision import full_precision
from learnsym.groups import Group


class GroupDistribution(TorchDistribution, abc.ABC):
    """A distribution over group elements, with `batch_shape` `*B` and `event_shape` `(n, n)`, usable as a Pyro site.

    Densities of continuous distributions are in principal exponential coordinates (Lebesgue measure on the algebra),
    summed over all coordinates that stand for an element; less that of `Haar` they are with respect to Haar. Those of
    categorical ones are with respect to counting measure; `kl_to_haar` does not depend on that choice.

    A distribution is determined by its group and its `tensors`, each of shape `batch_shape + parameter shape`.
    """

    group: Group
    has_rsample = True
    arg_constraints: dict[str, Any] = {}  # noqa: RUF012  torch's name; constructors check, with a remedy

    def __init__(self, group: Group, batch_shape: torch.Size) -> None:
        self.group = group
        super().__init__(batch_shape, torch.Size((group.n, group.n)), validate_args=False)

    @property
    @abc.abstractmethod
    def uniforms(self) -> int:
        """`Q`: how many numbers from [0, 1) one element is made of."""

    @abc.abstractmethod
    def from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S n n"]:
        """Elements as a differentiable function of uniform numbers; makes draws common, stratified or quasi-random.

        `u` broadcasts against the batch shape from the right, as a sample of shape `*S = sample_shape + batch_shape`.
        """

    def rsample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Float[Tensor, "*#S n n"]:
        """Reparameterised draws of shape `sample_shape + batch_shape + (n, n)`, never in less than float32."""
        parameter = self.reference
        shape = (*sample_shape, *self.batch_shape, self.uniforms)
        with full_precision(parameter.device):
            return self.from_uniform(torch.rand(shape, dtype=parameter.dtype, device=parameter.device))

    @property
    def reference(self) -> Tensor:
        """A tensor whose dtype and device the draws take."""
        return next(iter(self.tensors().values()))

    @abc.abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """The tensors that determine the distribution, by name."""

    @abc.abstractmethod
    def replace(self, tensors: Mapping[str, Tensor]) -> GroupDistribution:
        """The same distribution with other tensors, of another batch shape, dtype or device."""

    def expand(self, batch_shape: Sequence[int], _instance: object = None) -> GroupDistribution:
        """The same distribution with a larger batch shape; no memory is copied."""
        own = len(self.batch_shape)
        return self.replace({key: t.expand(*batch_shape, *t.shape[own:]) for key, t in self.tensors().items()})

    @property
    def support(self) -> constraints.Constraint:
        """The elements of the group."""
        return Elements(self.group)

    def score(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"] | None:
        """Log probability of what no draw carries a gradient of: elements or components without `straight_through`.

        `loss.detach() * score` has in expectation the gradient that is missing; None when none is. Reference: Williams,
        "Simple statistical gradient-following algorithms for connectionist reinforcement learning" (1992).
        """
        return None

    @abc.abstractmethod
    def kl_to_haar(self) -> Float[Tensor, "*B"]:
        """KL divergence to the normalised Haar measure; ValueError for a group that is not compact."""

    @abc.abstractmethod
    def widths(self) -> Float[Tensor, "*B P"]:
        """How wide the distribution is along each generator (or how probable each element but the identity is)."""

    @abc.abstractmethod
    def degrees(self, site: str, method: str) -> list[Degree]:
        """One degree per generator or element, in reporting units; the mean over the batch."""


class LearnableDistribution(nn.Module, abc.ABC):
    """A module that returns a distribution over group elements in its forward pass, given the inputs or not."""

    over_elements = True
    group: Group

    @abc.abstractmethod
    def forward(self, x: Tensor | None = None) -> GroupDistribution:
        """The distribution: of batch shape `()`, or of one entry per example when it depends on `x`."""

    @property
    def uniforms(self) -> int:
        """`Q`: how many numbers from [0, 1) one element is made of; to be overridden where `forward` needs `x`."""
        return self().uniforms

    @abc.abstractmethod
    def deficit(self, x: Tensor | None = None) -> Tensor:
        """How far from the widest law of the family: 0 there, largest at the identity alone; scalar or one per example.

        The KL divergence per generator, which does not depend on how a generator is scaled.
        """

    @abc.abstractmethod
    def degrees(self, site: str) -> list[Degree]:
        """One degree per generator or element, in reporting units."""

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """All of its parameters."""
        return list(self.parameters())

    def terms(self) -> tuple[str, ...]:
        """A reward for wide distributions: the loss on the targets alone narrows them."""
        return ("reward",)


class Elements(constraints.Constraint):
    """The matrices that are elements of a group."""

    event_dim = 2

    def __init__(self, group: Group) -> None:
        self.group = group

    def check(self, value: Tensor) -> Tensor:
        """Whether each matrix is an element, up to rounding."""
        return self.group.contains(value, atol=torch.finfo(value.dtype).eps ** 0.5)


def range_degrees(group: Group, half_width: Tensor, site: str, method: str) -> list[Degree]:
    """One degree per generator from half-widths `(*B, D)` of its coordinate."""
    means = half_width.detach().double().reshape(-1, group.dim).mean(0).tolist()
    return [
        Degree(
            site=site,
            group=group.name,
            generator=generator.name,
            unit=generator.unit,
            notion="task",
            estimate=mean / generator.per_unit,
            method=method,
            status="no interval",
            reason=ONE_TRAINING,
        )
        for generator, mean in zip(group.generators, means, strict=True)
    ]
