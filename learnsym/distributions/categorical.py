"""Categorical distributions on the elements of a finite group.

Legend of axes: `*S` sample shape (`*#S`: broadcasts), `*B` batch shape, `K` elements, `n` matrix size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.degrees import Degree
from learnsym.distributions._distribution import GroupDistribution
from learnsym.distributions._elements import listed_elements, probability_degrees
from learnsym.distributions._precision import at_least_float32
from learnsym.groups import Group


class GroupCategorical(GroupDistribution):
    """A categorical distribution on the elements of a finite group.

        p(g_k) = softmax(logits)_k

    Draws are elements of the group, exactly. Gradients of a draw with respect to the logits are straight-through:
    those of the mean matrix `sum_k p_k g_k`, unbiased for functions that are linear in the matrix. For others, such as
    warped images, they mean little (how an image changes near a flip says nothing about the image that is not flipped);
    without `straight_through` a draw has no gradient, and `score` supplies an unbiased one.

    Reference: Bengio, Léonard, Courville, "Estimating or propagating gradients through stochastic neurons" (2013),
    arXiv 1308.3432.

    Args:
        group: a finite group whose `K` elements are listed.
        logits: shape `(*B, K)` or `(K,)`, in the order of `group.elements()`, the identity first.
        validate_args: False skips the check of values.
        straight_through: whether draws carry gradients.

    Raises:
        ValueError: for a group that is not finite, a wrong shape, or logits that are NaN or plus infinity.

    Example:
        >>> law = ls.distributions.GroupCategorical(ls.groups.Cyclic(4), torch.zeros(4))
        >>> law.entropy()
        tensor(1.3863)
    """

    has_enumerate_support = True

    def __init__(
        self,
        group: Group,
        logits: Float[Tensor, "*B K"],
        validate_args: bool | None = None,
        *,
        straight_through: bool = True,
    ) -> None:
        elements = listed_elements(group)
        if logits.dim() < 1 or logits.shape[-1] != len(elements):
            raise ValueError(
                f"logits: got shape {tuple(logits.shape)}, must end in K = {len(elements)} for {group.name}"
            )
        check_logits(logits, validate_args)
        self.logits = at_least_float32(logits)
        self.straight_through = straight_through
        self._elements = elements.to(self.logits)
        super().__init__(group, logits.shape[:-1])

    @property
    def probabilities(self) -> Float[Tensor, "*B K"]:
        """`softmax(logits)`."""
        return self.logits.softmax(-1)

    @property
    def uniforms(self) -> int:
        return 1

    def from_uniform(self, u: Float[Tensor, "*#S 1"]) -> Float[Tensor, "*#S n n"]:
        """Elements by inversion of the cumulative distribution, so that regular `u` give stratified elements."""
        chosen = choice(self.probabilities, u, self.straight_through)
        return (chosen @ self._elements.flatten(1)).unflatten(-1, self._elements.shape[1:])

    def score(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"] | None:
        """The log probability, or None with `straight_through`."""
        return None if self.straight_through else self.log_prob(value)

    def tensors(self) -> dict[str, Tensor]:
        return {"logits": self.logits}

    def replace(self, tensors: Mapping[str, Tensor]) -> GroupCategorical:
        return GroupCategorical(
            self.group, tensors["logits"], validate_args=False, straight_through=self.straight_through
        )

    def log_prob(self, value: Float[Tensor, "*#S n n"]) -> Float[Tensor, "*#S"]:
        """Log probability; `-inf` for matrices that are not elements."""
        distance = (value.unsqueeze(-3) - self._elements).abs().amax((-2, -1))  # (*S, K)
        nearest, index = distance.min(-1)
        log_p = self.logits.log_softmax(-1)
        log_p = log_p.expand(*torch.broadcast_shapes(index.shape, self.batch_shape), log_p.shape[-1])
        log_p = log_p.gather(-1, index.expand(log_p.shape[:-1]).unsqueeze(-1)).squeeze(-1)
        return torch.where(nearest <= torch.finfo(value.dtype).eps ** 0.5, log_p, -math.inf)

    def enumerate_support(self, expand: bool = True) -> Float[Tensor, "K *B n n"]:
        """All elements along a new first axis."""
        k, n = self._elements.shape[:2]
        elements = self._elements.reshape(k, *[1] * len(self.batch_shape), n, n)
        return elements.expand(k, *self.batch_shape, n, n) if expand else elements

    def entropy(self) -> Float[Tensor, "*B"]:
        """`-sum_k p_k log p_k`."""
        return entropy_of(self.logits)

    def kl_to_haar(self) -> Float[Tensor, "*B"]:
        """`log K - entropy`."""
        return math.log(self.logits.shape[-1]) - self.entropy()

    def widths(self) -> Float[Tensor, "*B P"]:
        """The probabilities of all elements but the identity."""
        return self.probabilities[..., 1:]

    def degrees(self, site: str, method: str) -> list[Degree]:
        return probability_degrees(self.group, self.probabilities, site, method)


def check_logits(logits: Float[Tensor, "*B K"], validate_args: bool | None = None) -> None:
    """ValueError for logits that are no log-probabilities up to a constant; `False` skips the check of values."""
    if not logits.is_floating_point():
        raise ValueError(f"logits: got {logits.dtype}, must be floating point; convert with logits.float()")
    if validate_args is False:
        return
    if not bool((logits < math.inf).all() & (logits > -math.inf).any(-1).all()):
        raise ValueError(
            f"logits: got {logits.tolist()}, must be below infinity, not NaN, and not all minus infinity; "
            "give log-probabilities"
        )


def choice(p: Float[Tensor, "*B K"], u: Float[Tensor, "*#S 1"], straight_through: bool) -> Float[Tensor, "*#S K"]:
    """One-hot draws by inversion of the cumulative distribution, with the gradient of `p` or none."""
    hard = torch.nn.functional.one_hot(inverse_cdf(p, u), p.shape[-1]).to(p)
    return hard + (p - p.detach()) if straight_through else hard


def inverse_cdf(p: Float[Tensor, "*B K"], u: Float[Tensor, "*#S 1"]) -> Int[Tensor, "*#S"]:
    """The category in whose stretch of the cumulative distribution each uniform number falls."""
    return (u >= p.cumsum(-1)[..., :-1]).sum(-1)


def entropy_of(logits: Float[Tensor, "*B K"]) -> Float[Tensor, "*B"]:
    """Entropy of `softmax(logits)`, also where some logits are minus infinity."""
    return torch.special.entr(logits.softmax(-1)).sum(-1)
