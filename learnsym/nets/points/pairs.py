"""All ordered pairs `i != j` of the points of a cloud, as dense `N x N` arrays whose diagonal does not count.

Legend of axes: `B` clouds, `N` points, `V` vectors, `S` scalars, `H`, `E`, `O` features of points, pairs and outputs.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

Mask = Bool[Tensor, "B N"] | None
"""Which points there are; None for all."""


def over_points(y: Float[Tensor, "B N *K"], mask: Mask) -> Float[Tensor, "B *K"]:
    """The mean over the points of each cloud."""
    if mask is None:
        return y.mean(1)
    there = mask.reshape(*mask.shape, *[1] * (y.ndim - 2))
    return (y * there).sum(1) / there.sum(1)


def centred(positions: Float[Tensor, "B N 3"], mask: Mask = None) -> Float[Tensor, "B N 3"]:
    """Positions from the centroid of their cloud: what follows then loses no digits far from the origin.

    Padding lies in the centroid.
    """
    start = positions - over_points(positions, mask).unsqueeze(1)
    return start if mask is None else start * mask.unsqueeze(-1)


def differences(x: Float[Tensor, "B N 3"]) -> Float[Tensor, "B N N 3"]:
    """`x_i - x_j`."""
    return x.unsqueeze(2) - x.unsqueeze(1)


def pair_mask(x: Float[Tensor, "B N *K"], mask: Mask = None) -> Float[Tensor, "*C N N"]:
    """1 for pairs, 0 on the diagonal and for pairs with padding."""
    others = 1 - torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    return others if mask is None else others * mask.unsqueeze(1)


def pair_sum(m: Float[Tensor, "B N N H"], mask: Mask = None) -> Float[Tensor, "B N H"]:
    """`sum_{j != i} m_ij`; 0 for a single point."""
    return (m * pair_mask(m, mask).unsqueeze(-1)).sum(2)


def pair_mean(m: Float[Tensor, "B N N H"], mask: Mask = None) -> Float[Tensor, "B N H"]:
    """`sum_{j != i} m_ij / (N - 1)` with `N` points that there are; 0 for a single point.

    Example:
        >>> pair_mean(torch.ones(1, 3, 3, 1)).flatten(), pair_mean(torch.ones(1, 1, 1, 1)).flatten()
        (tensor([1., 1., 1.]), tensor([0.]))
    """
    return per_partner(pair_sum(m, mask), mask)


def per_partner(total: Float[Tensor, "B N *K"], mask: Mask = None) -> Float[Tensor, "B N *K"]:
    """A sum over the other points of a cloud, over their number or 1."""
    if mask is None:
        return total / max(total.shape[1] - 1, 1)
    return total / (mask.sum(1) - 1).clamp(min=1).reshape(-1, *[1] * (total.ndim - 1))


def point_invariants(vectors: Float[Tensor, "B N V 3"], scalars: Float[Tensor, "B N S"]) -> Float[Tensor, "B N H"]:
    """Scalars, and inner products `<u_a, u_b>` of the vectors with lengths compressed, `u = v / (1 + |v|²)^(1/4)`.

    One vector gives about its length where that is large and the square of it, which is smooth, near 0.

    Returns:
        `H = point_invariant_count(V, S)` features; a constant 1 where points carry nothing.
    """
    u = vectors * (1 + vectors.square().sum(-1, keepdim=True)).pow(-0.25)
    rows = [(u[:, :, a : a + 1] * u[:, :, a:]).sum(-1) for a in range(vectors.shape[2])]
    if scalars.shape[-1] == 0 and not rows:
        return scalars.new_ones(*scalars.shape[:2], 1)
    return torch.cat([scalars, *rows], -1)


def point_invariant_count(vectors: int, scalars: int) -> int:
    """Number of features of `point_invariants`."""
    return max(scalars + vectors * (vectors + 1) // 2, 1)


def pair_invariants(x: Float[Tensor, "B N 3"], scalars: Float[Tensor, "B N S"]) -> Float[Tensor, "B N N E"]:
    """Products of the scalars (charges) of both points and their distance as `log_square`, `E = S + 1`."""
    products = scalars.unsqueeze(2) * scalars.unsqueeze(1)
    return torch.cat([products, log_square(differences(x))], -1)


def log_square(apart: Float[Tensor, "B N N 3"]) -> Float[Tensor, "B N N 1"]:
    """`log(1 + |x_ij|²)`: the squared distance where points are close, and no large number where they are far."""
    return apart.square().sum(-1, keepdim=True).log1p()


def soft_unit(y: Float[Tensor, "*B 3"], softness: float = 1.0) -> Float[Tensor, "*B 3"]:
    """`y / (ε² + |y|²)^(1/2)` with the softness `ε`: of length below 1, and smooth."""
    return y * (softness**2 + y.square().sum(-1, keepdim=True)).rsqrt()


class PairLinear(nn.Module):
    """`W [h_i, h_j, e_ij] + b` for all pairs, without writing the concatenation down.

    The weights of both points act once per point and not once per pair. Features of pairs are geometry and stay in full
    precision under autocast.

    Args:
        points: number `H` of features of a point.
        pairs: number `E` of features of a pair.
        out: number `O` of outputs.
    """

    def __init__(self, points: int, pairs: int, out: int) -> None:
        super().__init__()
        self.points, self.pairs = points, pairs
        self.linear = nn.Linear(2 * points + pairs, out)

    def forward(self, h: Float[Tensor, "B N H"], e: Float[Tensor, "B N N E"]) -> Float[Tensor, "B N N O"]:
        first, second, edge = self.linear.weight.split([self.points, self.points, self.pairs], 1)
        both = functional.linear(h, first, self.linear.bias).unsqueeze(2) + functional.linear(h, second).unsqueeze(1)
        if self.pairs == 0:
            return both
        with torch.autocast(e.device.type, enabled=False):
            return functional.linear(e, edge.to(e.dtype)) + both
