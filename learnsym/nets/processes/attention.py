"""Attention to a context that may be empty, plain and with differences of locations.

Legend of axes: `B` tasks, `Q` queries, `N` context points, `W` features, `H` heads, `d` dimension of space.
"""

from __future__ import annotations

import torch
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
        self.scores = (
            nn.Sequential(nn.Linear(heads + dim, hidden), nn.SiLU(), nn.Linear(hidden, heads)) if dim else None
        )

    def forward(
        self,
        queries: Float[Tensor, "B Q W"],
        context: Float[Tensor, "B N W"],
        mask: Float[Tensor, "B N"],
        differences: Float[Tensor, "B Q N d"],
    ) -> Float[Tensor, "B Q W"]:
        """What each query takes from the context."""
        q, k, v = (
            layer(tokens).unflatten(-1, (self.heads, -1))
            for layer, tokens in ((self.query, queries), (self.key, context), (self.value, context))
        )
        scores = torch.einsum("bqhd,bnhd->bqnh", q, k) / q.shape[-1] ** 0.5
        if self.scores is not None:
            scores = self.scores(torch.cat([scores, differences], -1))
        scores = scores.masked_fill(mask[:, None, :, None] == 0, -torch.inf)
        nothing = scores.new_zeros(*scores.shape[:2], 1, self.heads)
        weights = torch.cat([nothing, scores], 2).softmax(2)[:, :, 1:]
        taken = torch.einsum("bqnh,bnhd->bqhd", weights, v)
        return self.out(taken.flatten(2))


class ContextLayer(nn.Module):
    """Attention to the context and a perceptron, each after normalisation and beside what was there."""

    def __init__(self, width: int, heads: int, dim: int = 0) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = ContextAttention(width, heads, dim)
        self.perceptron = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(
        self, z: Float[Tensor, "B Q W"], count: int, mask: Float[Tensor, "B N"], differences: Float[Tensor, "B Q N d"]
    ) -> Float[Tensor, "B Q W"]:
        """New features of all locations, of which the first `count` are the context."""
        normed = self.first(z)
        z = z + self.attention(normed, normed[:, :count], mask, differences)
        return z + self.perceptron(self.second(z))
