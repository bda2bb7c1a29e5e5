"""A transformer on clouds that is equivariant to the rotations of a cube, at the cost of a plain one.

Legend of axes: `B` clouds, `N` points, `F`, `O` numbers per point, `W` width, `o`, `i` fields out and in, `v` vectors,
`s` scalars.
"""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from learnsym.actions import PointCloud, PointVectors
from learnsym.equivariant.constant import Constant
from learnsym.groups import MatrixGroup, Octahedral, SignedPermutations, cayley_table
from learnsym.nets.blocks import at_least_one
from learnsym.nets.points.assembly import assemble, check_types, vector_count
from learnsym.nets.points.pairs import Mask, centred
from learnsym.nets.points.point_net import PointNet
from learnsym.nets.points.transformer import TransformerBlock

GROUPS = {"O": Octahedral, "O_h": SignedPermutations}


class OctahedralTransformer(PointNet):
    """Pre-norm transformer blocks on regular fields of the octahedral group: exact for its elements and for shifts.

    A token has `W / |G|` fields `f(g)`, one number for each element, which `h` moves by `(h·f)(g) = f(h⁻¹ g)`. All maps
    between fields are `(k f)(g) = Σ_h k(g⁻¹ h) f(h)`: ordinary matrices of width `W` with a `|G|`-th of the weights, so
    that matrix products, attention and perceptrons cost what those of `PointTransformer` do. A vector `x` enters as
    `f(g) = w · (g⁻¹ x)` and leaves as the mean of `g w f(g)`. Heads hold whole fields, of which the group moves no
    scalar product. Rotations by other angles are not built in; positions enter from the centroid of their cloud.

    Reference: Cohen, Welling, "Group equivariant convolutional networks" (2016), arXiv 1602.07576, for regular fields;
    Xiong et al., "On layer normalization in the transformer architecture" (2020), arXiv 2002.04745, for blocks.

    Args:
        inputs: types of the inputs.
        outputs: types of the outputs; those of the inputs without.
        width: numbers `W` of a token, a multiple of `|G| heads`; perceptrons are twice as wide.
        blocks: number of blocks.
        heads: attention heads.
        elements: `O`, the 24 rotations of a cube, or `O_h`, its 48 rotations and reflections.

    Returns:
        From clouds `(B, N, F)` numbers `(B, N, outputs.features)`.

    Raises:
        ValueError: when the types are not of space, nothing is predicted, or sizes do not divide.

    Example:
        >>> cloud = ls.actions.PointCloud(vectors=1)
        >>> net = ls.nets.points.OctahedralTransformer(cloud, width=48, blocks=1, heads=2)
        >>> net(torch.randn(2, 5, 6)).shape
        torch.Size([2, 5, 6])
    """

    def __init__(
        self,
        inputs: PointCloud,
        outputs: PointCloud | PointVectors | None = None,
        width: int = 384,
        blocks: int = 10,
        heads: int = 8,
        elements: str = "O",
    ) -> None:
        super().__init__()
        outputs = inputs if outputs is None else outputs
        check_types(inputs, outputs)
        at_least_one(width=width, blocks=blocks, heads=heads)
        if elements not in GROUPS:
            raise ValueError(f"elements: got {elements!r}, must be one of {', '.join(GROUPS)}")
        self.group = GROUPS[elements]()
        step = len(self.group.components) * heads
        if width % step:
            raise ValueError(
                f"width: got {width}, must be a multiple of {step}, the elements of {elements} times heads={heads}; "
                "choose such a number"
            )
        self.inputs, self.outputs = inputs, outputs
        fields = width // len(self.group.components)
        linear, norm = partial(FieldLinear, self.group), partial(FieldNorm, self.group)
        self.embed = Lift(self.group, 1 + inputs.vectors, inputs.scalars, fields)
        self.blocks = nn.ModuleList(TransformerBlock(fields, heads, linear, norm) for _ in range(blocks))
        self.norm = norm(fields)
        self.read = Read(self.group, fields, vector_count(outputs), outputs.scalars)

    def predicted(self, x: Float[Tensor, "B N F"], mask: Mask) -> Float[Tensor, "B N O"]:
        parts = self.inputs.split(x)
        vectors = torch.cat([centred(parts.positions, mask).unsqueeze(2), parts.vectors], 2)
        h = self.embed(vectors, parts.scalars).to(x.dtype)
        for block in self.blocks:
            h = block(h, mask)
        vectors, scalars = self.read(self.norm(h))
        return assemble(self.outputs, parts.positions, vectors, scalars)


class FieldLinear(nn.Module):
    """All linear maps of regular fields that commute with the group: `y(g) = Σ_h k(g⁻¹ h) x(h) + b`.

    Example:
        >>> layer = ls.nets.points.octahedral.FieldLinear(ls.groups.Octahedral(), 2, 3)
        >>> layer(torch.rand(5, 48)).shape
        torch.Size([5, 72])
    """

    def __init__(self, group: MatrixGroup, inputs: int, outputs: int) -> None:
        super().__init__()
        count = len(group.components)
        self.weight, self.bias = nn.Parameter(torch.empty(outputs, inputs, count)), nn.Parameter(torch.empty(outputs))
        # g⁻¹ = gᵀ, found as the column of the table in which g h is the identity
        table = cayley_table(group)
        inverse = (table == table[0, 0]).int().argmax(1)
        self.quotients = Constant(table[inverse].flatten())
        _reset(self, count * inputs)

    def forward(self, x: Float[Tensor, "*B i"]) -> Float[Tensor, "*B o"]:
        """Fields from fields."""
        outputs, inputs, count = self.weight.shape
        entries = self.weight.index_select(2, self.quotients()).unflatten(2, (count, count))
        matrix = entries.transpose(1, 2).reshape(outputs * count, inputs * count)
        return functional.linear(x, matrix, self.bias.repeat_interleave(count))


class Lift(nn.Module):
    """Vectors and scalars to regular fields: `f(g) = Σ_v w_v · (g⁻¹ x_v) + u · s + b`."""

    def __init__(self, group: MatrixGroup, vectors: int, scalars: int, fields: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(fields, 3 * vectors + scalars))
        self.bias = nn.Parameter(torch.empty(fields))
        self.vectors, self.elements = vectors, Constant(group.components)
        _reset(self, 3 * vectors + scalars)

    def forward(self, vectors: Float[Tensor, "B N v 3"], scalars: Float[Tensor, "B N s"]) -> Float[Tensor, "B N W"]:
        """Fields of each point."""
        split = 3 * self.vectors
        w, u = self.weight[:, :split].unflatten(1, (-1, 3)), self.weight[:, split:]
        # w · (g⁻¹ x) = (g w) · x, so that the map is one matrix
        turned = torch.einsum("gjk,ovk->ogvj", self.elements(), w).flatten(2).flatten(0, 1)
        matrix = torch.cat([turned, u.repeat_interleave(len(self.elements()), 0)], 1)
        bias = self.bias.repeat_interleave(len(self.elements()))
        return functional.linear(torch.cat([vectors.flatten(2), scalars], -1), matrix, bias)


class Read(nn.Module):
    """Regular fields to vectors and scalars: the means over `g` of `g w f(g)` and of `u f(g) + b`."""

    def __init__(self, group: MatrixGroup, fields: int, vectors: int, scalars: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(3 * vectors + scalars, fields))
        self.bias = nn.Parameter(torch.empty(scalars)) if scalars else None
        self.vectors, self.elements = vectors, Constant(group.components)
        _reset(self, fields)

    def forward(self, h: Float[Tensor, "B N W"]) -> tuple[Float[Tensor, "B N v 3"], Float[Tensor, "B N s"]]:
        """Vectors and scalars of each point."""
        count, split = len(self.elements()), 3 * self.vectors
        w, u = self.weight[:split].unflatten(0, (-1, 3)), self.weight[split:]
        turned = torch.einsum("gjk,vko->vjog", self.elements(), w).flatten(2).flatten(0, 1)
        matrix = torch.cat([turned, u.repeat_interleave(count, 1)]) / count
        y = functional.linear(h, matrix)
        scalars = y[..., split:]
        return y[..., :split].unflatten(-1, (-1, 3)), scalars if self.bias is None else scalars + self.bias


class FieldNorm(nn.Module):
    """Layer normalisation over all numbers of a token, with a weight and a bias for each field."""

    def __init__(self, group: MatrixGroup, fields: int) -> None:
        super().__init__()
        self.count = len(group.components)
        self.weight, self.bias = nn.Parameter(torch.ones(fields)), nn.Parameter(torch.zeros(fields))

    def forward(self, h: Float[Tensor, "*B W"]) -> Float[Tensor, "*B W"]:
        """Of mean 0 and variance 1 before weight and bias."""
        weight, bias = (each.repeat_interleave(self.count) for each in (self.weight, self.bias))
        return functional.layer_norm(h, h.shape[-1:], weight, bias)


def _reset(layer: FieldLinear | Lift | Read, fan_in: int) -> None:
    """Uniform weights of the size of those of `nn.Linear` with as many inputs."""
    for weight in layer.parameters():
        nn.init.uniform_(weight, -(fan_in**-0.5), fan_in**-0.5)
