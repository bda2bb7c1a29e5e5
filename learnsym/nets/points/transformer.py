"""A plain transformer on clouds: general-purpose, of no symmetry but that of the order of points.

Legend of axes: `B` clouds, `N` points, `F`, `O` numbers per point, `W` width, `H` heads.
"""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from learnsym.actions import PointCloud, PointVectors
from learnsym.nets.blocks import at_least_one
from learnsym.nets.points.assembly import assemble, check_types, vector_count
from learnsym.nets.points.pairs import Mask
from learnsym.nets.points.point_net import PointNet


class PointTransformer(PointNet):
    """Pre-norm transformer blocks on points as tokens, positions and vectors as plain numbers.

    No position of a token in its cloud enters, so that an order of the points means nothing. It is the plain twin of
    `GATr`: at the sizes of both classes the two take nearly the same nominal FLOPs.

    Reference: Attention is all you need (Vaswani et al. 2017), arXiv 1706.03762; On layer normalization in the
    transformer architecture (Xiong et al. 2020), arXiv 2002.04745.

    Args:
        inputs: types of the inputs.
        outputs: types of the outputs; those of the inputs without.
        width: numbers `W` of a token, a multiple of `heads`; perceptrons are twice as wide.
        blocks: number of blocks.
        heads: attention heads `H`.

    Returns:
        From clouds `(B, N, F)` numbers `(B, N, outputs.features)`.

    Raises:
        ValueError: when the types are not of space, nothing is predicted, or sizes do not divide.

    Example:
        >>> net = ls.nets.points.PointTransformer(ls.actions.PointCloud(vectors=1), width=16, blocks=1, heads=4)
        >>> net(torch.randn(2, 5, 6)).shape
        torch.Size([2, 5, 6])
    """

    group = None

    def __init__(
        self,
        inputs: PointCloud,
        outputs: PointCloud | PointVectors | None = None,
        width: int = 384,
        blocks: int = 10,
        heads: int = 8,
    ) -> None:
        super().__init__()
        outputs = inputs if outputs is None else outputs
        check_types(inputs, outputs)
        at_least_one(width=width, blocks=blocks, heads=heads)
        if width % heads:
            raise ValueError(f"width: got {width}, must be a multiple of heads={heads}; choose such a number")
        self.inputs, self.outputs = inputs, outputs
        self.embed = nn.Linear(inputs.features, width)
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.read = nn.Linear(width, 3 * vector_count(outputs) + outputs.scalars)

    def predicted(self, x: Float[Tensor, "B N F"], mask: Mask) -> Float[Tensor, "B N O"]:
        positions = self.inputs.split(x).positions
        h = self.embed(x).to(x.dtype)
        for block in self.blocks:
            h = block(h, mask)
        y = self.read(self.norm(h))
        split = 3 * vector_count(self.outputs)
        return assemble(self.outputs, positions, y[..., :split].unflatten(-1, (-1, 3)), y[..., split:])


class TransformerBlock(nn.Module):
    """Attention, then a perceptron, each of normalised features and added to them.

    Args:
        width: numbers of a token, or fields of them where the layers are those of fields.
        heads: attention heads.
        linear: a linear layer of so many inputs and outputs.
        norm: a normalisation of so many features.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        linear: Callable[[int, int], nn.Module] = nn.Linear,
        norm: Callable[[int], nn.Module] = nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.perceptron_norm = norm(width), norm(width)
        self.project, self.out = linear(width, 3 * width), linear(width, width)
        self.perceptron = nn.Sequential(linear(width, 2 * width), nn.GELU(), linear(2 * width, width))

    def forward(self, h: Float[Tensor, "B N W"], mask: Mask = None) -> Float[Tensor, "B N W"]:
        """Features of the next block."""
        qkv = self.project(self.attention_norm(h)).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        keys = None if mask is None else mask[:, None, None, :]
        attended = functional.scaled_dot_product_attention(q, k, v, keys).transpose(1, 2).flatten(2)
        h = h + self.out(attended)
        return h + self.perceptron(self.perceptron_norm(h))
