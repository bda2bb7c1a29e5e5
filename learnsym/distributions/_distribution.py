"""What a distribution over group elements is, and the module that learns one.

Legend of axes: `*S` sample shape, `*B` batch shape, `n` matrix size, `D` algebra dimension, `Q` uniform numbers an element needs.
"""

from __future__ import annotations

import abc

import torch
from jaxtyping import Float
from pyro.distributions import TorchDistribution
from torch import Tensor, nn

from learnsym.degrees import Degree
from learnsym.groups import Group


class GroupDistribution(TorchDistribution, abc.ABC):
    """A distribution over group elements, with `batch_shape` `*B` and `event_shape` `(n, n)`, usable as a Pyro site.

    Densities of continuous distributions are in exponential coordinates (Lebesgue measure on the Lie algebra), of
    categorical ones with respect to counting measure; `kl_to_haar` does not depend on that choice.
    """

    group: Group
    has_rsample = True

    @property
    @abc.abstractmethod
    def uniforms(self) -> int:
        """`Q`: how many numbers from [0, 1) one element is made of."""

    @abc.abstractmethod
    def from_uniform(self, u: Float[Tensor, "*S Q"]) -> Float[Tensor, "*S n n"]:
        """Elements as a differentiable function of uniform numbers; makes draws common, stratified or quasi-random.

        `u` broadcasts against the batch shape from the right, as a sample of shape `*S = sample_shape + batch_shape`.
        """

    def rsample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Float[Tensor, "*S n n"]:
        """Reparameterised draws of shape `sample_shape + batch_shape + (n, n)`."""
        parameter = self.reference
        shape = (*sample_shape, *self.batch_shape, self.uniforms)
        return self.from_uniform(torch.rand(shape, dtype=parameter.dtype, device=parameter.device))

    @property
    @abc.abstractmethod
    def reference(self) -> Tensor:
        """A tensor whose dtype and device the draws take."""

    @abc.abstractmethod
    def kl_to_haar(self) -> Float[Tensor, "*B"]:
        """KL divergence to the normalised Haar measure; ValueError for a group that is not compact."""


class LearnableDistribution(nn.Module, abc.ABC):
    """A module that returns a distribution over group elements in its forward pass, given the inputs or not."""

    group: Group

    @abc.abstractmethod
    def forward(self, x: Tensor | None = None) -> GroupDistribution:
        """The distribution: of batch shape `()`, or of one entry per example when it depends on `x`."""

    @abc.abstractmethod
    def degrees(self, site: str) -> list[Degree]:
        """One degree per generator or element, in reporting units."""
