"""Bounds on the equivariance error of every probabilistic layer of a network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.relax.likelihood.likelihood import Likelihood
from learnsym.relax.probabilistic import ProbabilisticSteerableConv


@dataclass(frozen=True)
class Certificate:
    """What one layer guarantees: `|h·k - k| / |k| <= bound` for the worst of the given elements `h`."""

    site: str
    group: str
    bound: float
    worst: Float[Tensor, "n n"]
    """The element of the largest bound."""


def certificates(network: nn.Module, h: Float[Tensor, "H n n"] | None = None) -> list[Certificate]:
    """The bound of each probabilistic layer, by its likelihood and weights alone: no data are needed.

    Args:
        network: with layers `ProbabilisticSteerableConv`.
        h: elements; those of the quadrature of each likelihood when None.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> ls.relax.certificates(ls.relax.ProbabilisticSteerableConv(fields, fields, 3))[0].bound
        0.0
    """
    return [
        _certificate(name, layer, h)
        for name, layer in network.named_modules()
        if isinstance(layer, ProbabilisticSteerableConv)
    ]


def _certificate(name: str, layer: ProbabilisticSteerableConv, h: Tensor | None) -> Certificate:
    elements = layer.streams()[0].elements() if h is None else h
    with torch.no_grad():
        bounds = layer.certificate(elements)
    worst = int(bounds.argmax())
    return Certificate(f"layer:{name}", layer.in_type.group.name, float(bounds[worst]), elements[worst])


def likelihoods(network: nn.Module) -> list[list[Likelihood]]:
    """The streams of each probabilistic layer, from the first layer to the last."""
    layers = [module for module in network.modules() if isinstance(module, ProbabilisticSteerableConv)]
    return [layer.streams() for layer in layers]
