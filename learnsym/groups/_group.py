"""What a group is: batched matrices with composition, inverse, sampling, generators and an exponential.

Legend of axes: `*B` batch, `n` size of the matrices, `D` dimension of the Lie algebra, `K` connected components.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Generator:
    """One direction of a Lie algebra, with the unit in which people read its coordinate.

    A coordinate `a` stands for `a / per_unit` units; `cap` is the largest half-width that a symmetric range of the
    coordinate can have: where the orbit closes (`pi` for a rotation) or the object leaves the view.
    """

    name: str
    unit: str = "1"
    per_unit: float = 1.0
    cap: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.per_unit) and self.per_unit > 0):
            raise ValueError(
                f"per_unit: got {self.per_unit} for {self.name}, must be finite and > 0; 1 changes no unit"
            )
        if not self.cap > 0:
            raise ValueError(f"cap: got {self.cap} for {self.name}, must be > 0; leave it out where there is none")


class Group(abc.ABC):
    """A set of transformations with batched composition, inverse, sampling and, for Lie groups, generators and `exp`.

    Every element is an invertible matrix and a batch of them a tensor `(*B, n, n)`, for finite groups, permutations and
    products too (block-diagonal matrices). The identity component is `exp` of the algebra; `components` holds one
    representative of each connected component, so that every element is `component @ exp(a)`.
    """

    name: str
    space: str
    """What the matrices act on: `line`, `plane`, `space`, `spacetime`, `channels`, `rgb`, `index` or `product`."""
    generators: tuple[Generator, ...]
    algebra: Float[Tensor, "D n n"]
    components: Float[Tensor, "K n n"]
    is_compact: bool

    @property
    def n(self) -> int:
        """Size of the matrices."""
        return self.components.shape[-1]

    @property
    def dim(self) -> int:
        """Dimension of the Lie algebra; 0 for a finite group."""
        return len(self.generators)

    @property
    def order(self) -> int | None:
        """Number of elements of a finite group, None for a Lie group."""
        return None if self.dim else len(self.components)

    def identity(
        self, *shape: int, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> Float[Tensor, "*B n n"]:
        """The neutral element, repeated over `shape`."""
        return torch.eye(self.n, dtype=dtype, device=device).expand(*shape, self.n, self.n).clone()

    def compose(self, g: Float[Tensor, "*B n n"], h: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B n n"]:
        """The product `g h`: first `h`, then `g`."""
        return g @ h

    @abc.abstractmethod
    def inverse(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B n n"]:
        """The inverse of each element."""

    @abc.abstractmethod
    def exp(self, a: Float[Tensor, "*B D"]) -> Float[Tensor, "*B n n"]:
        """The element `exp(sum_i a_i G_i)`, differentiable in `a`, everywhere finite (also its gradient at 0)."""

    @abc.abstractmethod
    def log(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B D"]:
        """Coordinates `a` with `exp(a) = g` for elements of the identity component, principal branch."""

    @abc.abstractmethod
    def windings(self, a: Float[Tensor, "*B D"], turns: int) -> tuple[Float[Tensor, "*B K D"], Float[Tensor, "*B K"]]:
        """All coordinates of the element `exp(a)` within so many whole turns of `a`, and how they stretch volume.

        The second result is `log |det da_k/da|`: densities of the algebra add up over `k` with these weights. It is
        `-inf` where no such coordinates exist. `K` is 1 where `exp` never comes back to an element.
        """

    @abc.abstractmethod
    def haar(
        self,
        *shape: int,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "*B n n"]:
        """Independent draws from the normalised Haar measure; ValueError when the group is not compact."""

    @abc.abstractmethod
    def log_haar(self, a: Float[Tensor, "*B D"]) -> Float[Tensor, "*B"]:
        """Log density of the normalised Haar measure of the identity component, in the coordinates `a`."""

    @abc.abstractmethod
    def contains(self, g: Float[Tensor, "*B n n"], atol: float = 1e-6) -> Tensor:
        """Whether each matrix is an element, up to `atol`."""
