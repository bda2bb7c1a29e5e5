"""Which weights are one and the same: a matrix that assigns items to blocks, learned or fixed.

Legend of axes: `K` items, `L` blocks, `*F` numbers of each item.
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym.degrees import GIVEN, ONE_TRAINING, Degree
from learnsym.groups import MatrixGroup, YoungSubgroup
from learnsym.statistics.partition import canonical

SPREAD = 0.1
"""Standard deviation of logits at the start, which leaves rows nearly flat."""


def soft_means(matrix: Float[Tensor, "*B K L"], values: Float[Tensor, "*B K F"]) -> Float[Tensor, "*B L F"]:
    """The mean of each block, `ψ = D⁻¹ Aᵀ w` with `D = diag(1ᵀA)`; an empty block has 0.

    For a hard `A` it is the least-squares solution of `A ψ = w`; for a soft one `A ψ` is smoothed, and least squares
    is not: with an invertible `A` it gives `w` back whatever `A` is, so that held-out examples say nothing of `A`.

    Example:
        >>> from learnsym.relax.sharing import soft_means
        >>> soft_means(torch.tensor([[1.0, 0], [1, 0], [0, 1]]), torch.tensor([[1.0], [3], [5]])).flatten().tolist()
        [2.0, 5.0]
    """
    mass = matrix.sum(-2).clamp(min=torch.finfo(matrix.dtype).tiny)
    return (matrix.mT @ values) / mass[..., None]


@final
class Assignment(nn.Module):
    """A learned assignment of items to blocks of equal weights: `w = A ψ` with `A = softmax(logits)` by rows.

    Where `A` is hard, items of one block have one weight: the map is symmetric under the permutations that keep the
    blocks. Rows begin nearly flat.

    Reference: Yeh, Hu, Hasegawa-Johnson, Schwing, "Equivariance discovery by learned parameter-sharing" (2022), arXiv
    2204.03640.

    Args:
        items: number `K` of weights, or of groups of weights that move together.
        blocks: number `L` of free ones; `K` when None.

    Raises:
        ValueError: for numbers below 1.

    Example:
        >>> assignment = ls.relax.sharing.Assignment(items=6, blocks=2)
        >>> assignment(torch.rand(2, 3)).shape
        torch.Size([6, 3])
        >>> print(assignment.degrees("layer:0")[0])
        layer:0: S_6 shared pairs 0.5 (task, learned parameter sharing)...
    """

    over_elements = True

    def __init__(self, items: int, blocks: int | None = None) -> None:
        super().__init__()
        blocks = items if blocks is None else blocks
        for name, value in (("items", items), ("blocks", blocks)):
            if value < 1:
                raise ValueError(f"{name}: got {value}, must be at least 1")
        self.logits = nn.Parameter(SPREAD * torch.randn(items, blocks))

    @property
    def shape(self) -> tuple[int, int]:
        """`K` and `L`."""
        items, blocks = self.logits.shape
        return items, blocks

    def matrix(self) -> Float[Tensor, "K L"]:
        """`A`."""
        return self.logits.softmax(-1)

    def forward(self, psi: Float[Tensor, "L *F"]) -> Float[Tensor, "K *F"]:
        """`A ψ`."""
        return torch.tensordot(self.matrix(), psi, 1)

    def labels(self) -> Int[Tensor, "K"]:
        """The most probable block of each item, numbered in the order of first items."""
        return canonical(self.logits.argmax(-1))

    def hardened(self) -> FixedAssignment:
        """The assignment of each item to its most probable block."""
        return FixedAssignment(self.labels())

    def degrees(self, site: str) -> list[Degree]:
        """The probability that two items, drawn at random, are in one block: 0 for no sharing, 1 for one block."""
        return _degrees(self.matrix().detach(), site, ONE_TRAINING)

    def symmetry_parameters(self) -> list[nn.Parameter]:
        """The logits."""
        return [self.logits]

    def terms(self) -> tuple[str, ...]:
        """The penalty of sharing."""
        return ("sharing",)

    def extra_repr(self) -> str:
        """Sizes."""
        return "items={}, blocks={}".format(*self.shape)


@final
class FixedAssignment(nn.Module):
    """A given assignment of items to blocks: `w_k = ψ_label(k)`; the end of learning, or a partition that is known.

    Args:
        labels: of the block of each item; renumbered in the order of first items.

    Raises:
        ValueError: without items.

    Example:
        >>> ls.relax.sharing.FixedAssignment(torch.tensor([3, 3, 1])).group()
        S{0,1}
    """

    index: Tensor

    def __init__(self, labels: Int[Tensor, "K"]) -> None:
        super().__init__()
        if not len(labels):
            raise ValueError("labels: got none, must be at least one")
        self.register_buffer("index", canonical(labels))

    @property
    def shape(self) -> tuple[int, int]:
        """`K` and `L`."""
        return len(self.index), int(self.index.max()) + 1

    def matrix(self) -> Float[Tensor, "K L"]:
        """`A`, of zeros and ones."""
        return nn.functional.one_hot(self.index).to(torch.get_default_dtype())

    def forward(self, psi: Float[Tensor, "L *F"]) -> Float[Tensor, "K *F"]:
        """Each item with the weight of its block."""
        return psi[self.index]

    def labels(self) -> Int[Tensor, "K"]:
        """The block of each item."""
        return self.index

    def blocks(self) -> list[list[int]]:
        """The items of each block."""
        return [(self.index == block).nonzero()[:, 0].tolist() for block in range(self.shape[1])]

    def group(self) -> MatrixGroup:
        """The permutations that keep every block: the symmetry of weights that are so shared."""
        return YoungSubgroup(len(self.index), self.blocks())

    def degrees(self, site: str) -> list[Degree]:
        """The share of pairs of items that are in one block."""
        return _degrees(self.matrix(), site, GIVEN)


def _degrees(matrix: Float[Tensor, "K L"], site: str, reason: str) -> list[Degree]:
    items = len(matrix)
    # P(i and j in one block) -> its mean over pairs
    together = matrix @ matrix.mT
    pairs = float(together.sum() - together.trace()) / (items * (items - 1)) if items > 1 else 1.0
    return [
        Degree(
            site=site,
            group=f"S_{items}",
            generator="shared pairs",
            unit="1",
            notion="task",
            estimate=pairs,
            method="learned parameter sharing",
            status="no interval",
            reason=reason,
        )
    ]
