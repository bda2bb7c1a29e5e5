"""What holds a row-stochastic matrix to few and hard blocks.

Legend of axes: `K` items, `L` blocks.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

NUDGE = 1e-6
"""What is added to entries before the logarithm, as in the released code."""


def row_entropy(matrix: Float[Tensor, "*B K L"]) -> Float[Tensor, "*B"]:
    """The mean entropy of the rows in nats: 0 for a hard assignment, `log L` for a flat one."""
    return -(matrix * (matrix + NUDGE).log()).sum(-1).mean(-1)


def nuclear_norm(matrix: Float[Tensor, "*B K L"]) -> Float[Tensor, "*B"]:
    """The sum of singular values: `Σ_j √n_j` for hard blocks of `n_j` items, and 1 for a flat matrix of `K = L`.

    It rewards few blocks, and flat rows as much: a hard matrix has at least `√K`. The entropy must outweigh that.

    Reference: Yeh, Hu, Hasegawa-Johnson, Schwing (2022), arXiv 2204.03640, equation 21.
    """
    return torch.linalg.matrix_norm(matrix, "nuc")


def column_norms(matrix: Float[Tensor, "*B K L"]) -> Float[Tensor, "*B"]:
    """The sum of the norms of the columns: `Σ_j √n_j` for hard blocks, as the nuclear norm, and `√K` for a flat matrix.

    This is what the released code of Yeh et al. computes under the name of the nuclear norm, since its root of
    `AᵀA` is taken entry by entry. At hard matrices, whose columns are orthogonal, the two agree.
    """
    # a root that has a gradient where a column is empty
    return (matrix.square().sum(-2) + torch.finfo(matrix.dtype).tiny).sqrt().sum(-1)


norms: dict[str, Callable[[Tensor], Tensor]] = {"columns": column_norms, "nuclear": nuclear_norm}


def sharing_penalty(matrix: Float[Tensor, "*B K L"], norm: str, entropy: float) -> Float[Tensor, "*B"]:
    """`|A| + entropy · H(A)`, with one of the norms and the mean entropy of the rows."""
    return norms[norm](matrix) + entropy * row_entropy(matrix)


def check_penalty(norm: str, entropy: float) -> None:
    """Raise ValueError for an unknown norm or a negative weight of the entropy."""
    if norm not in norms:
        raise ValueError(f"norm: got {norm!r}, must be one of {', '.join(norms)}")
    if not entropy >= 0:
        raise ValueError(f"entropy: got {entropy}, must be >= 0; 1 is usual")
