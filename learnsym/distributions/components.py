"""Distributions on groups of several connected components, such as O(2) or E(3).

Legend of axes: `*S` sample shape (`*#S`: broadcasts), `*B` batch shape, `K` components, `n` matrix size.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.degrees import Degree
from learnsym.distributions._distribution import GroupDistribution
from learnsym.distributions._elements import probability_degrees
from learnsym.distributions._precision import at_least_float32
from learnsym.distributions.categorical import check_logits, choice, entropy_of


class ComponentMixture(GroupDistribution):
    """A distribution on the identity component, moved to component `k` with probability `p_k`.

        g = c_k h,    k ~ softmax(logits),    h ~ base

    Gradients of draws with respect to the logits are straight-through or absent, as in `GroupCategorical`.

    Args:
        base: a distribution on the identity component, such as `LieBox`.
        logits: shape `(*B, K)` or `(K,)`, in the order of `group.components`, the identity component first.
        validate_args: False skips the check of values.
        straight_through: whether draws carry gradients of the logits.

    Raises:
        ValueError: when the number of logits is not that of the components, or they are NaN or infinite.

    Example:
        >>> o2 = ls.groups.O2()
        >>> law = ls.distributions.ComponentMixture(ls.distributions.LieBox(o2, torch.tensor([0.5])), torch.zeros(2))
        >>> law.entropy()
        tensor(0.6931)
    """

    def __init__(
        self,
        base: GroupDistribution,
        logits: Float[Tensor, "*B K"],
        validate_args: bool | None = None,
        *,
        straight_through: bool = True,
    ) -> None:
        group = base.group
        if logits.dim() < 1 or logits.shape[-1] != len(group.components):
            count = len(group.components)
            raise ValueError(
                f"logits: got shape {tuple(logits.shape)}, must end in K = {count} components of {group.name}"
            )
        check_logits(logits, validate_args)
        shape = torch.broadcast_shapes(base.batch_shape, logits.shape[:-1])
        self.base = base if base.batch_shape == shape else base.expand(shape)
        self.logits = at_least_float32(logits).expand(*shape, -1)
        self.straight_through = straight_through
        self._components = group.components.to(self.logits)
        super().__init__(group, shape)

    @property
    def probabilities(self) -> Float[Tensor, "*B K"]:
        """`softmax(logits)`."""
        return self.logits.softmax(-1)

    @property
    def uniforms(self) -> int:
        return 1 + self.base.uniforms

    def from_uniform(self, u: Float[Tensor, "*#S Q"]) -> Float[Tensor, "*#S n n"]:
        chosen = choice(self.probabilities, u[..., :1], self.straight_through)
        component = (chosen @ self._components.flatten(1)).unflatten(-1, self._components.shape[1:])
        return component @ self.base.from_uniform(u[..., 1:])

    def score(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"] | None:
        """The log probability of the component, or None with `straight_through`."""
        return None if self.straight_through else self._split(value.detach())[0]

    def tensors(self) -> dict[str, Tensor]:
        return {"logits": self.logits, **{f"base.{key}": t for key, t in self.base.tensors().items()}}

    def replace(self, tensors: Mapping[str, Tensor]) -> ComponentMixture:
        base = self.base.replace({key: tensors[f"base.{key}"] for key in self.base.tensors()})
        return ComponentMixture(base, tensors["logits"], False, straight_through=self.straight_through)

    def log_prob(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"]:
        """`log p_k + log density of base at c_k^{-1} g`, summed over the components that hold `g`: one, or none."""
        log_p, log_base = self._split(value)
        return log_p + log_base

    def _split(self, value: Float[Tensor, "*#S n n"]) -> tuple[Tensor, Tensor]:
        """Log probability of the component, and log density within it; `-inf` within where no component holds `g`."""
        moved = self.group.inverse(self._components) @ value.unsqueeze(-3)  # (*S, K, n, n)
        log_base = torch.stack([self.base.log_prob(part) for part in moved.unbind(-3)], -1)
        best, k = log_base.max(-1)
        log_p = self.logits.log_softmax(-1).expand(*k.shape, -1).gather(-1, k.unsqueeze(-1)).squeeze(-1)
        return log_p, best

    def entropy(self) -> Float[Tensor, "*B"]:
        """The entropy of the components plus that of `base`."""
        return entropy_of(self.logits) + self.base.entropy()

    def kl_to_haar(self) -> Float[Tensor, "*B"]:
        """The divergence of `base` less what several components win back."""
        return self.base.kl_to_haar() - entropy_of(self.logits)

    def widths(self) -> Float[Tensor, "*B P"]:
        """The widths of `base`, then the probabilities of the components but that of the identity."""
        return torch.cat([self.base.widths(), self.probabilities[..., 1:]], -1)

    def degrees(self, site: str, method: str) -> list[Degree]:
        return [*self.base.degrees(site, method), *probability_degrees(self.group, self.probabilities, site, method)]
