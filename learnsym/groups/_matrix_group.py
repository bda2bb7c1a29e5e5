"""MatrixGroup: the one final class of all groups, a record of data and formulas."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.groups._group import Generator, Group


class Formulas(abc.ABC):
    """The formulas of one family of groups; subclasses are frozen dataclasses, so that groups copy and pickle."""

    @abc.abstractmethod
    def inverse(self, g: Tensor) -> Tensor:
        """See `Group.inverse`."""

    @abc.abstractmethod
    def exp(self, a: Tensor) -> Tensor:
        """See `Group.exp`."""

    @abc.abstractmethod
    def log(self, g: Tensor) -> Tensor:
        """See `Group.log`."""

    @abc.abstractmethod
    def contains(self, g: Tensor, atol: float) -> Tensor:
        """See `Group.contains`."""

    def component(self, g: Tensor) -> Tensor:
        """See `MatrixGroup.component`; a connected group has one."""
        return torch.zeros(g.shape[:-2], dtype=torch.long, device=g.device)

    def windings(self, a: Tensor, turns: int) -> tuple[Tensor, Tensor]:
        """See `Group.windings`; where `exp` does not wind there is one."""
        return a.unsqueeze(-2), a.new_zeros((*a.shape[:-1], 1))

    def haar(self, shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
        """Draws over all components, of the dtype and on the device of `like`; for compact groups."""
        raise NotImplementedError

    def log_haar(self, a: Tensor) -> Tensor:
        """See `Group.log_haar`; for compact groups."""
        raise NotImplementedError


@final
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MatrixGroup(Group):
    """A group of matrices given by its generators, its components and the formulas of its family.

    Groups compare by value: by name, generators, algebra and components.
    """

    name: str
    space: str
    generators: tuple[Generator, ...]
    algebra: Float[Tensor, "D n n"]
    components: Float[Tensor, "K n n"]
    is_compact: bool
    formulas: Formulas
    factors: tuple[Group, ...] = ()
    """The groups of a product, in the order of their blocks."""
    elements_count: int | None = None
    """Order of a finite group whose elements are too many to be listed in `components`."""

    def __post_init__(self) -> None:
        if len(self.algebra) != len(self.generators):
            counts = f"got {len(self.generators)} for {len(self.algebra)} matrices"
            raise ValueError(f"generators: {counts}; name each matrix")

    def __repr__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MatrixGroup):
            return NotImplemented
        return self is other or (
            (self.name, self.space, self.generators) == (other.name, other.space, other.generators)
            and torch.equal(self.algebra, other.algebra)
            and torch.equal(self.components, other.components)
        )

    def __hash__(self) -> int:
        return hash((self.name, self.space, self.generators))

    @property
    def order(self) -> int | None:
        """Number of elements of a finite group, None for a Lie group."""
        # a property of the class above, asked through super(), is silently another value under torch.compile
        return (None if self.dim else len(self.components)) if self.elements_count is None else self.elements_count

    def elements(
        self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None
    ) -> Float[Tensor, "K n n"]:
        """All elements of a finite group, the identity first.

        Raises:
            ValueError: for a Lie group, or a symmetric group of more than 7 points.
        """
        if self.order is None:
            raise ValueError(f"group: {self} is not finite, so its elements cannot be listed; draw them instead")
        if self.order != len(self.components):
            raise ValueError(f"group: {self} has {self.order} elements, too many to list; draw from haar instead")
        return self.components.to(dtype=dtype or torch.get_default_dtype(), device=device)

    def component(self, g: Float[Tensor, "*B n n"]) -> Int[Tensor, "*B"]:
        """Index `k` of the connected component of each element: `g = components[k] @ exp(a)`.

        For a finite group this is the index of the element in `elements()`.
        """
        return self.formulas.component(self._square(g))

    def inverse(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B n n"]:
        """The inverse of each element."""
        return self.formulas.inverse(self._square(g))

    def exp(self, a: Float[Tensor, "*B D"]) -> Float[Tensor, "*B n n"]:
        """The element `exp(sum_i a_i G_i)`, differentiable in `a`, everywhere finite (also its gradient at 0)."""
        return self.formulas.exp(self._coordinates(a))

    def log(self, g: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B D"]:
        """Coordinates `a` with `exp(a) = g` for elements of the identity component, principal branch."""
        return self.formulas.log(self._square(g))

    def windings(self, a: Float[Tensor, "*B D"], turns: int) -> tuple[Float[Tensor, "*B K D"], Float[Tensor, "*B K"]]:
        """All coordinates of `exp(a)` within so many whole turns of `a`, and `log |det da_k/da|`: see `Group`.

        Raises:
            ValueError: for a product, whose coordinates wind factor by factor.

        Example:
            >>> ls.groups.SO2().windings(torch.tensor([0.5]), turns=1)[0].squeeze(-1)
            tensor([-5.7832,  0.5000,  6.7832])
        """
        if self.factors:
            raise ValueError(f"group: {self} is a product; ask each of its factors")
        return self.formulas.windings(self._coordinates(a), turns)

    def haar(
        self,
        *shape: int,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "*B n n"]:
        """Independent draws from the normalised Haar measure; ValueError when the group is not compact."""
        self._needs_compact()
        return self.formulas.haar(shape, torch.empty((), dtype=dtype, device=device), generator)

    def log_haar(self, a: Float[Tensor, "*B D"]) -> Float[Tensor, "*B"]:
        """Log density of the normalised Haar measure of the identity component, in the coordinates `a`."""
        self._needs_compact()
        return self.formulas.log_haar(self._coordinates(a))

    def contains(self, g: Float[Tensor, "*B n n"], atol: float = 1e-6) -> Tensor:
        """Whether each matrix is an element, up to `atol`."""
        return self.formulas.contains(self._square(g), atol)

    def _needs_compact(self) -> None:
        if not self.is_compact:
            raise ValueError(
                f"group: {self} is not compact and has no normalised Haar measure; "
                "use a distribution of finite width, such as LieBox"
            )

    def _coordinates(self, a: Tensor) -> Tensor:
        if a.ndim == 0 or a.shape[-1] != self.dim:
            names = ", ".join(generator.name for generator in self.generators) or "none"
            raise ValueError(
                f"a: got shape {tuple(a.shape)}, the last axis must hold the {self.dim} coordinates of {self} ({names})"
            )
        return a

    def _square(self, g: Tensor) -> Tensor:
        if g.ndim < 2 or g.shape[-2:] != (self.n, self.n):
            raise ValueError(f"g: got shape {tuple(g.shape)}, elements of {self} are matrices {self.n} x {self.n}")
        return g
