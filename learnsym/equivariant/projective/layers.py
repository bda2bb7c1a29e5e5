"""The two residual branches of a geometric algebra transformer.

Legend of axes: `T` tokens, `C` channels, `S` auxiliary scalars, `H` heads, `B` clouds, `N` points.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor, nn
from torch.nn import functional

from learnsym.equivariant.projective.attention import attend, key_features, query_features
from learnsym.equivariant.projective.features import Features, gated, multivectors
from learnsym.equivariant.projective.linear import MultivectorLinear
from learnsym.equivariant.projective.maps import invariant_columns, signs_of
from learnsym.equivariant.projective.multivectors import Multivectors
from learnsym.equivariant.projective.products import geometric_product, join


class GeometricAttention(nn.Module):
    """Attention with queries of every head, and keys and values that heads share; twice as many channels inside.

    Invariants and softmax are computed in float32 at least.

    Args:
        channels: channels `C`.
        scalars: auxiliary scalars `S`.
        heads: number `H`; must divide `channels` and `scalars`.
        group: "E(3)", "SE(3)" or "SO(3)".
    """

    def __init__(self, channels: int, scalars: int, heads: int, group: str) -> None:
        super().__init__()
        self.heads, self.each, self.scalars_each = heads, 2 * channels // heads, 2 * scalars // heads
        parts, signs = heads + 2, signs_of(group, self.each).repeat(heads + 2)
        sizes = (channels, parts * self.each), (scalars, parts * self.scalars_each)
        self.project = MultivectorLinear(*sizes, group, signs)
        self.out = MultivectorLinear((2 * channels, channels), (2 * scalars, scalars), group)
        for name, order in _orders(heads, self.each, self.scalars_each).items():
            self.register_buffer(name, order, persistent=False)

    projected_scalars: Tensor
    projected_vectors: Tensor
    attended_scalars: Tensor
    attended_vectors: Tensor

    def forward(self, x: Features, clouds: int, mask: Bool[Tensor, "B N"] | None = None) -> Features:
        """Each point of `clouds` equally large clouds attends to those of its own, of which some may be padding."""
        on_scalars, bias, on_vectors = self.project.weights()
        rows = self.projected_scalars
        scalars = functional.linear(x.scalars.T, on_scalars.index_select(0, rows), bias.index_select(0, rows))
        tokens = x.vectors.flatten(1).T
        vectors = functional.linear(tokens, on_vectors.index_select(0, self.projected_vectors)).unflatten(0, (3, -1))
        with torch.autocast(scalars.device.type, enabled=False):
            if scalars.element_size() < 4:
                scalars, vectors = scalars.float(), vectors.float()
            y = self._attended(scalars, vectors, clouds, mask)
        return self._read(*y)

    def _attended(self, scalars: Tensor, vectors: Tensor, clouds: int, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Scalars `(T, H (4 C + S))` and vectors `(3 T, H 4 C)` of what the heads found."""
        h, c, s = self.heads, self.each, self.scalars_each
        of_both, value = scalars.split([(h + 1) * (2 * c + s), 4 * c + s], 1)
        vectors_of_both, vector_value = vectors.split([(h + 1) * 3 * c, 4 * c], 2)
        shape = (h + 1, -1)
        both = query_features(of_both.unflatten(1, shape), vectors_of_both.unflatten(2, shape), c)
        q, k = both.split([h, 1], 1)
        y = attend(q, key_features(k.squeeze(1), c), torch.cat([value, *vector_value.unbind()], 1), clouds, mask)
        scalars, vectors = y.split([4 * c + s, 12 * c], 2)
        return scalars.flatten(1), vectors.unflatten(2, (3, -1)).permute(2, 0, 1, 3).reshape(-1, h * 4 * c)

    def _read(self, scalars: Tensor, vectors: Tensor) -> Features:
        on_scalars, bias, on_vectors = self.out.weights()
        on_scalars = on_scalars.index_select(1, self.attended_scalars)
        on_vectors = on_vectors.index_select(1, self.attended_vectors)
        return Features(
            torch.addmm(bias[:, None], on_scalars, scalars.T), (on_vectors @ vectors.T).unflatten(1, (3, -1))
        )


class GeometricMLP(nn.Module):
    """Geometric products and joins, a linear layer, GELUs gated by invariants, a linear layer.

    Args:
        channels: channels `C`, a multiple of 4.
        scalars: auxiliary scalars `S`.
        group: "E(3)", "SE(3)" or "SO(3)".
    """

    def __init__(self, channels: int, scalars: int, group: str) -> None:
        super().__init__()
        self.channels = channels
        self.operands = MultivectorLinear(
            (channels, 4 * channels), (scalars, 0), group, _operand_signs(group, channels)
        )
        self.mix = MultivectorLinear((2 * channels, 2 * channels), (scalars, 2 * scalars), group)
        self.out = MultivectorLinear((2 * channels, channels), (2 * scalars, scalars), group)
        gates = invariant_columns(group, signs_of(group, 2 * channels), "1r" if group == "E(3)" else "1")
        self.register_buffer("gates", gates, persistent=False)

    gates: Tensor

    def forward(self, x: Features) -> Features:
        """One token at a time."""
        scalars, vectors = (part.split(self.channels, 1) for part in multivectors(self.operands(x)))
        a, b, c, d = map(Multivectors, scalars, vectors)
        product, joined = geometric_product(a, b), join(c, d)
        auxiliary = x.scalars[x.vectors.shape[0] :]
        scalars = torch.cat([_interleaved(product.scalars, joined.scalars), auxiliary.to(product.scalars.dtype)])
        y = self.mix(Features(scalars, _interleaved(product.vectors, joined.vectors)))
        return self.out(gated(y, y.scalars.index_select(0, self.gates)))


def _interleaved(x: Tensor, y: Tensor) -> Tensor:
    """Channels of both, those of sign +1 first, as one axis with the blades."""
    (a, b), (c, d) = x.chunk(2, 1), y.chunk(2, 1)
    return torch.cat([a, c, b, d], 1).flatten(0, 1)


def _operand_signs(group: str, channels: int) -> Tensor:
    """Signs of both factors of the product and of the join, such that the first half of the results has sign +1."""
    if group != "E(3)":
        return torch.ones(4 * channels)
    # quarters; the join changes the sign once more
    left, right = [1, -1, 1, -1], [1, -1, -1, 1]
    quarters = torch.tensor([left, right, left, [-sign for sign in right]])
    return quarters.flatten().repeat_interleave(channels // 4).to(torch.get_default_dtype())


def _orders(heads: int, c: int, s: int) -> dict[str, Tensor]:
    """Rows of the projection and columns of the output matrix, head by head, so that no data are permuted.

    Queries and the key need blades 1, p, e, B, P and auxiliary scalars, the value all. The output takes channels before
    heads: those of sign +1 first.
    """
    parts = heads + 2
    blades = torch.arange(4 * parts * c).reshape(4, parts, c).transpose(0, 1)
    auxiliary = 4 * parts * c + torch.arange(parts * s).reshape(parts, 1, s)
    attended = torch.arange(4 * c * heads).reshape(4, c, heads).permute(2, 0, 1)
    columns = 4 * c * heads + torch.arange(heads * s).reshape(heads, s)
    rows = [torch.cat([blades[:-1, :2].flatten(1), auxiliary[:-1, 0]], 1), blades[-1], auxiliary[-1]]
    return {
        "projected_scalars": torch.cat([row.flatten() for row in rows]),
        "projected_vectors": torch.cat([blades[:-1, [0, 1, 3]].flatten(), blades[-1].flatten()]),
        "attended_scalars": torch.cat([attended.flatten(1), columns], 1).flatten(),
        "attended_vectors": attended.flatten(),
    }
