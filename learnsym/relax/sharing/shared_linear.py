"""Weights that are shared through an assignment, and a linear map that has them.

Legend of axes: `K` items, `L` blocks, `*F` numbers of each item, `B` batch, `i`, `o` inputs and outputs.
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.relax.sharing.assignment import Assignment, FixedAssignment, soft_means


@final
class SharedWeight(nn.Module):
    """Weights `w = A ψ` with free numbers `ψ`, one set for each block.

    Args:
        assignment: of `K` items to `L` blocks.
        size: `*F`, shape of the numbers of each item.
        spread: standard deviation of `ψ` at the start.

    Example:
        >>> weight = ls.relax.sharing.SharedWeight(ls.relax.sharing.Assignment(4), (3, 2))
        >>> weight().shape, weight.hardened().assignment.labels().shape
        (torch.Size([4, 3, 2]), torch.Size([4]))
    """

    def __init__(
        self, assignment: Assignment | FixedAssignment, size: tuple[int, ...] = (), spread: float = 1.0
    ) -> None:
        super().__init__()
        self.assignment = assignment
        self.psi = nn.Parameter(spread * torch.randn(assignment.shape[1], *size))

    def forward(self) -> Float[Tensor, "K *F"]:
        """The weights."""
        return self.assignment(self.psi)

    @torch.no_grad()
    def hardened(self) -> SharedWeight:
        """Weights with the most probable block of each item, that begin at the means of what they are now."""
        hard = FixedAssignment(self.assignment.labels())
        twin = SharedWeight(hard, tuple(self.psi.shape[1:]))
        means = soft_means(hard.matrix().to(self.psi), self().reshape(self.assignment.shape[0], -1))
        twin.psi = nn.Parameter(means.reshape(-1, *self.psi.shape[1:]))
        return twin.to(self.psi.device)


@final
class SharedLinear(nn.Module):
    """A linear map without bias whose weights are shared: `y = W x`, with `W = A ψ` over all entries of `W`.

    Args:
        assignment: of the `o i` entries, row by row, to blocks; `Assignment(o * i)` when None.
        in_features, out_features: `i` and `o`.

    Raises:
        ValueError: for an assignment of another number of items.

    Example:
        >>> layer = ls.relax.sharing.SharedLinear(4, 3)
        >>> layer(torch.rand(2, 4)).shape
        torch.Size([2, 3])
        >>> layer.hardened().plain()
        Linear(in_features=4, out_features=3, bias=False)
    """

    def __init__(
        self, in_features: int, out_features: int, assignment: Assignment | FixedAssignment | None = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        items = in_features * out_features
        assignment = Assignment(items) if assignment is None else assignment
        if assignment.shape[0] != items:
            raise ValueError(
                f"assignment: got one of {assignment.shape[0]} items, must be of out_features * in_features = {items}"
            )
        self.shared = SharedWeight(assignment, (), in_features**-0.5)

    def weight(self) -> Float[Tensor, "o i"]:
        """`W`."""
        return self.shared().unflatten(0, (self.out_features, self.in_features))

    def forward(self, x: Float[Tensor, "*B i"]) -> Float[Tensor, "*B o"]:
        """`W x`."""
        return nn.functional.linear(x, self.weight())

    def hardened(self) -> SharedLinear:
        """The map with the most probable block of each weight, to be trained on."""
        shared = self.shared.hardened()
        twin = SharedLinear(self.in_features, self.out_features, shared.assignment)
        twin.shared = shared
        return twin

    def plain(self) -> nn.Linear:
        """An ordinary linear map with the same weights."""
        weight = self.weight().detach()
        linear = nn.Linear(self.in_features, self.out_features, bias=False, device=weight.device, dtype=weight.dtype)
        with torch.no_grad():
            linear.weight.copy_(weight)
        return linear
