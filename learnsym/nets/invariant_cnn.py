"""A small group convolutional classifier that is invariant by construction."""

from __future__ import annotations

import copy
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.equivariant import (
    FieldBatchNorm,
    FieldType,
    GlobalAveragePool,
    GroupConv2d,
    IntegrationKernel,
    InvariantIntegration,
    InvariantPool,
    Monomials,
    Sequential,
    SteerableConv,
)
from learnsym.groups import Group
from learnsym.nets.blocks import at_least_one

LATTICE = ("trivial", "C_1", "C_2", "C_4", "D_1", "D_2", "D_4")


class InvariantCNN(nn.Module):
    """Group convolutions of regular fields, invariant features, a linear layer: `f(g·x) = f(x)`.

    Each of `depth` blocks is a 3x3 group convolution, batch normalisation and ReLU; the first `pools` end with 2x2 max
    pooling. Exact for the elements that move pixels onto pixels, where the sides of the image are multiples of
    `2^pools`.

    Reference: Rath, Condurache, "Deep neural networks with efficient guaranteed invariances" (2023), arXiv 2303.01567.

    Args:
        group: finite, of the plane.
        in_channels: channels of the images.
        classes: number of outputs.
        fields: regular fields of every block; each has as many channels as the group has elements.
        integrand: what is integrated, given the fields: such as `Monomials`. Without it the mean over the image of the
            largest component of each field is taken.
        depth: blocks.
        pools: of them with pooling.

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> net = ls.nets.InvariantCNN(ls.groups.Cyclic(4), 1, 10, fields=4, integrand=ls.equivariant.Monomials)
        >>> x = torch.rand(2, 1, 16, 16)
        >>> torch.allclose(net.eval()(x.rot90(1, (-2, -1))), net(x), atol=1e-5)
        True
    """

    def __init__(
        self,
        group: Group,
        in_channels: int,
        classes: int,
        fields: int = 8,
        integrand: Callable[[FieldType], IntegrationKernel] | None = None,
        depth: int = 4,
        pools: int = 2,
    ) -> None:
        super().__init__()
        at_least_one(in_channels=in_channels, classes=classes, fields=fields, depth=depth)
        image, regular = FieldType.trivial(group, in_channels), FieldType.regular(group, fields)
        self.features = Sequential(*_layers(image, regular, depth, pools))
        self.invariants = _pooled(regular) if integrand is None else InvariantIntegration(integrand(regular))
        features = self.invariants.out_type.size
        self.norm = nn.BatchNorm1d(features)
        self.head = nn.Linear(features, classes)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """The class logits."""
        return self.head(self.norm(self.invariants(self.features(x))))

    def pruned(self, count: int) -> InvariantCNN:
        """A copy with the monomials alone whose features have the largest weights in the linear layer.

        Args:
            count: monomials of each field that are kept.

        Raises:
            ValueError: for a network without monomials, or a count that it has not.
        """
        layer = self.invariants
        integrand = layer.integrand if isinstance(layer, InvariantIntegration) else "no monomials"
        if not isinstance(integrand, Monomials) or not 1 <= count <= integrand.count:
            raise ValueError(f"count: got {count} for {integrand}, must be at least 1 and at most its monomials")
        smaller = copy.deepcopy(self)
        # features come field by field, in each monomial by monomial
        weights = self.head.weight.detach().unflatten(1, (-1, integrand.count))
        largest = sorted(weights.square().sum((0, 1)).topk(count).indices.tolist())
        columns = [f * integrand.count + j for f in range(weights.shape[1]) for j in largest]
        smaller.invariants = InvariantIntegration(integrand.selected(largest))
        smaller.norm, smaller.head = _columns(self.norm, self.head, columns)
        return smaller.train(self.training)


def _layers(image: FieldType, regular: FieldType, depth: int, pools: int) -> list[nn.Module]:
    conv = GroupConv2d if image.group.name in LATTICE else SteerableConv
    layers: list[nn.Module] = []
    for block in range(depth):
        first = conv(regular if block else image, regular, 3, padding=1, bias=False)
        layers += [first, FieldBatchNorm(regular), nn.ReLU(), *[nn.MaxPool2d(2)] * (block < pools)]
    return layers


def _pooled(regular: FieldType) -> Sequential:
    largest = InvariantPool(regular)
    return Sequential(largest, GlobalAveragePool(largest.out_type))


def _columns(norm: nn.BatchNorm1d, head: nn.Linear, columns: list[int]) -> tuple[nn.BatchNorm1d, nn.Linear]:
    """Both for some of their features."""
    few, linear = nn.BatchNorm1d(len(columns)), nn.Linear(len(columns), head.out_features)
    few.load_state_dict({key: value[columns] if value.ndim else value for key, value in norm.state_dict().items()})
    linear.load_state_dict({"weight": head.weight[:, columns], "bias": head.bias})
    return few.to(head.weight), linear.to(head.weight)
