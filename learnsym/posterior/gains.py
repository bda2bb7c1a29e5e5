"""One number a layer that says how far it leaves its symmetry, where the degree lives in many weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import singledispatch
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from learnsym.equivariant import nearest_kernel
from learnsym.learners import learners
from learnsym.relax import DenseMap, GridPathway, ResidualPathway
from learnsym.relax.grid_maps import translation_mean, unrolled


class Gain(nn.Module):
    """A weight as `e + γ (w - e)`, where the layer is exact at `e`: exact for `γ = 0`, as it is trained for `γ = 1`."""

    exact: Tensor

    def __init__(self, exact: Tensor) -> None:
        super().__init__()
        self.register_buffer("exact", exact)
        self.gamma = nn.Parameter(torch.ones((), dtype=exact.dtype, device=exact.device))

    def forward(self, weight: Tensor) -> Tensor:
        return self.exact + self.gamma * (weight - self.exact)


@singledispatch
def broken(layer: nn.Module) -> tuple[nn.Module, str, Tensor] | None:
    """The module and the name of the weight that leaves the symmetry, and its nearest exact value; None without one."""
    return None


@broken.register
def _(layer: ResidualPathway) -> tuple[nn.Module, str, Tensor]:
    return layer, "free", nearest_kernel(layer.equivariant, layer.free)


@broken.register
def _(layer: GridPathway) -> tuple[nn.Module, str, Tensor] | None:
    return broken(layer.free)


@broken.register
def _(layer: DenseMap) -> tuple[nn.Module, str, Tensor]:
    mean = unrolled(translation_mean(layer.matrix(), layer.size, layer.stride), layer.stride)
    return layer, "weight", mean.transpose(1, 2).unflatten(3, layer.size)


@contextmanager
def gains(model: nn.Module) -> Iterator[list[nn.Parameter]]:
    """The gains `γ` of all layers that have one, as parameters of the model for a while; all 1, as trained."""
    places = [part for _, layer in learners(model) if (part := broken(layer)) is not None]
    added = []
    try:
        for module, name, exact in places:
            parametrize.register_parametrization(module, name, Gain(exact.detach()))
            added.append((module, name))
        yield [cast("nn.Parameter", _gain(module, name).gamma) for module, name in added]
    finally:
        for module, name in added:
            trained = cast("Tensor", module.get_parameter(f"parametrizations.{name}.original")).detach().clone()
            parametrize.remove_parametrizations(module, name, leave_parametrized=False)
            with torch.no_grad():
                module.get_parameter(name).copy_(trained)


def _gain(module: nn.Module, name: str) -> nn.Module:
    return module.get_submodule(f"parametrizations.{name}.0")
