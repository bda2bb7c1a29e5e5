"""Attention to a context that may be empty, plain and with differences of locations.

Legend of axes: `B` tasks, `Q` queries, `N` context points, `W` features, `H` heads, `d` dimension of space,
`P = Q N` pairs.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class ContextAttention(nn.Module):
    """Multi-head attention of queries to the context, in which each head may also attend to nothing.

        w_qn = m_n exp(l_qn) / (1 + Σ_n m_n exp(l_qn)),    l_q. = a(q k_.ᵀ / √D, x_q - x_.)

    The 1 in the denominator is the score of nothing, whose value is 0, so that an empty context gives 0. Where `a` is
    given it takes the scores of all heads and the difference of locations to new scores; else `l` are the scores.

    Reference: Vaswani et al. (2017), arXiv 1706.03762; for `a` Ashman, Diaconu, Kim, Sivaraya, Markou, Requeima,
    Bruinsma, Turner, "Translation equivariant transformer neural processes" (2024), arXiv 2406.12409.

    Args:
        width: features `W`.
        heads: number `H`, which divides the width.
        dim: dimension of space where differences of locations count; 0 where they do not.

    Raises:
        ValueError: when the heads do not divide the width.
    """

    def __init__(self, width: int, heads: int, dim: int = 0) -> None:
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"heads: got {heads} for {width} features, must divide them; 4 for 64 is usual")
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        hidden = 2 * (heads + dim)
        self.scores: Any = (
            nn.Sequential(nn.Linear(heads + dim, hidden), nn.SiLU(), nn.Linear(hidden, heads)) if dim else None
        )

    def forward(
        self,
        queries: Float[Tensor, "B Q W"],
        context: Float[Tensor, "B N W"],
        mask: Float[Tensor, "B N"],
        differences: Float[Tensor, "B d Q N"],
    ) -> Float[Tensor, "B Q W"]:
        """What each query takes from the context."""
        q, k, v = (
            layer(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer, tokens in ((self.query, queries), (self.key, context), (self.value, context))
        )
        # q k^T / sqrt(D)
        scores = (q / q.shape[-1] ** 0.5) @ k.mT
        if self.scores is not None:
            scores = self._rescored(torch.cat([scores, differences], 1))
        scores = scores.masked_fill(mask[:, None, None] == 0, -torch.inf)
        # nothing comes first: its score is 0, and so is its value
        weights = F.pad(scores, (1, 0)).softmax(-1)
        taken = weights @ F.pad(v, (0, 0, 1, 0))
        return self.out(taken.transpose(1, 2).flatten(2))

    def _rescored(self, pairs: Float[Tensor, "B K Q N"]) -> Float[Tensor, "B H Q N"]:
        """`a` of each pair, whose heads stand before it: products of small matrices with long ones are fast."""
        first, nonlinear, second = self.scores
        hidden = nonlinear(_along_heads(first, pairs.flatten(2)))
        return _along_heads(second, hidden).unflatten(2, pairs.shape[2:])


def _along_heads(layer: nn.Linear, pairs: Float[Tensor, "B K P"]) -> Float[Tensor, "B L P"]:
    return torch.baddbmm(layer.bias.unsqueeze(-1), layer.weight.expand(len(pairs), -1, -1), pairs)


class ContextLayer(nn.Module):
    """Attention to the context and a perceptron, each after normalisation and beside what was there."""

    def __init__(self, width: int, heads: int, dim: int = 0) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = ContextAttention(width, heads, dim)
        self.perceptron = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(
        self, z: Float[Tensor, "B Q W"], count: int, mask: Float[Tensor, "B N"], differences: Float[Tensor, "B d Q N"]
    ) -> Float[Tensor, "B Q W"]:
        """New features of all locations, of which the first `count` are the context."""
        normed = self.first(z)
        z = z + self.attention(normed, normed[:, :count], mask, differences)
        return z + self.perceptron(self.second(z))
