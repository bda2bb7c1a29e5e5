"""Small perceptrons of the networks of points, and what is read from their features.

Legend of axes: `B` clouds, `N` points, `V` input vectors, `K` predicted vectors, `H` features, `S` scalars.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


def perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Two linear layers with SiLU between them."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))


def small_perceptron(hidden: int, outputs: int) -> nn.Sequential:
    """A perceptron of outputs that are small at the start, so that points hardly move; the last layer has no bias."""
    last = nn.Linear(hidden, outputs, bias=False)
    nn.init.xavier_uniform_(last.weight, gain=1e-3)
    return nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), last)


def mix_vectors(weights: Float[Tensor, "B N KV"], vectors: Float[Tensor, "B N V 3"]) -> Float[Tensor, "B N K 3"]:
    """`u_k = sum_a w_ka v_a`, for each point."""
    weights = weights.unflatten(-1, (-1, vectors.shape[2]))
    return (weights.unsqueeze(-1) * vectors.unsqueeze(2)).sum(3)


def read(linear: nn.Linear | None, h: Float[Tensor, "B N H"]) -> Float[Tensor, "B N S"]:
    """Scalars of features; none without a layer."""
    return h[..., :0] if linear is None else linear(h)
