"""Networks with every kind of layer that has Kronecker factors, and the dense matrix that they approximate."""

from __future__ import annotations

import torch
from torch import nn
from torch.func import functional_call, jacrev

import learnsym as ls

C4 = ls.groups.Cyclic(4)
IMAGE, REGULAR = ls.equivariant.FieldType.trivial(C4, 2), ls.equivariant.FieldType.regular(C4, 2)
TURNS = ls.groups.SO2()
MIXED = ls.equivariant.FieldType.all_irreps(TURNS, 2, band_limit=1)
SCALARS = ls.equivariant.FieldType.trivial(TURNS, 2)


class Paths(nn.Module):
    """The first vector of each field as a feature, so that a linear equivariant layer has a place."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = ls.equivariant.EquivariantLinear(MIXED, SCALARS)

    def forward(self, x):
        return self.layer(x.flatten(1)[:, : MIXED.size])


LAYERS = {
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(32, 3)),
    "linear of positions": lambda: nn.Sequential(nn.Flatten(2), nn.Linear(16, 3)),
    "conv, stride, zeros": lambda: nn.Conv2d(2, 3, (3, 2), stride=2, padding=1),
    "conv, dilation, circular": lambda: nn.Conv2d(2, 3, 3, dilation=2, padding=2, padding_mode="circular"),
    "conv, two groups": lambda: nn.Conv2d(2, 4, 3, groups=2),
    "dense map": lambda: ls.relax.DenseMap(2, 3, 4, stride=2),
    "conv map": lambda: ls.relax.ConvMap(2, 3, 4),
    "conv map, stride": lambda: ls.relax.ConvMap(2, 3, 4, stride=2),
    "factored map": lambda: ls.relax.FactoredMap(2, 3, 4, stride=2),
    "sparsified map": lambda: ls.relax.SparsifiedMap(2, 3, 4, stride=2),
    "sparsified conv, stride": lambda: ls.relax.SparsifiedConv(2, 3, 4, stride=2),
    "group convolution, lifting": lambda: ls.equivariant.GroupConv2d(IMAGE, REGULAR, 3, padding=1),
    "group convolution": lambda: nn.Sequential(
        ls.equivariant.GroupConv2d(IMAGE, REGULAR, 3, padding=1),
        nn.Tanh(),
        ls.equivariant.GroupConv2d(REGULAR, REGULAR, 3, stride=2, padding=1),
    ),
    "steerable convolution": lambda: ls.equivariant.SteerableConv(
        SCALARS, MIXED, 3, padding=1, padding_mode="circular"
    ),
    "equivariant linear": Paths,
    "batch norm": lambda: nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)),
    "layer norm": lambda: nn.Sequential(nn.Conv2d(2, 3, 1), nn.LayerNorm([4, 4])),
    "group norm": lambda: nn.Sequential(nn.Conv2d(2, 4, 1), nn.GroupNorm(2, 4)),
    "field norm": lambda: nn.Sequential(
        ls.equivariant.SteerableConv(SCALARS, MIXED, 3, padding=1), ls.equivariant.FieldBatchNorm(MIXED)
    ),
}
"""Layers for images of two channels and 4 x 4 pixels."""


def network(name):
    """The layer, and what makes three outputs of it; biases and scales are not what they start as."""
    torch.manual_seed(0)
    net = nn.Sequential(LAYERS[name](), nn.Tanh(), nn.Flatten(), nn.LazyLinear(3))
    net(torch.rand(2, 2, 4, 4))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return net.double().eval()


def dense(net, weights, x, likelihood):
    """The generalised Gauss-Newton matrix of weights, by Jacobians and second derivatives of the log likelihood."""
    held = {name: weight.detach() for name, weight in weights.items()}
    jacobian = jacrev(lambda w: functional_call(net, w, (x,)).flatten(1))(held)
    J = torch.cat([part.flatten(2) for part in jacobian.values()], 2)
    S = likelihood.root(net(x).flatten(1))
    return torch.einsum("bcp,bcd,bdq->pq", J, S @ S.mT, J).detach()
