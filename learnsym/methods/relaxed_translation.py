"""Relaxed translation convolution: kernels that vary from place to place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from learnsym._settings import In, NotNegative, check_settings
from learnsym.data import Signature
from learnsym.distributions import GroupDistribution
from learnsym.equivariant import FreeConv, SteerableConv
from learnsym.methods._checks import group_named
from learnsym.methods._images import regularised, shifts
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import steerable_net
from learnsym.objectives import Objective
from learnsym.objectives.terms import Prior
from learnsym.relax import RelaxedTranslationConv
from learnsym.symmetry import Symmetry, symmetry_by_name


@dataclass(frozen=True, kw_only=True)
class RelaxedTranslation(Method):
    """A steerable network each of whose layers mixes several exact convolutions, with weights for each pixel.

    `exact` has one convolution in each layer, which keeps translations and the group; `plain` has free kernels, which
    keep translations alone.
    """

    name: Literal["relaxed_translation"] = "relaxed_translation"
    group: str = "C_4"
    """Group that the mixed convolutions keep: C_N, D_N, SO(2) or O(2)."""
    band_limit: Annotated[int, In("[1, 16]")] = 2
    """Highest frequency of the fields of SO(2) and O(2)."""
    banks: Annotated[int, In("[1, 64]")] = 2
    """Exact convolutions that each layer mixes."""
    weight: NotNegative = 1.0
    """Weight of the differences between neighbouring pixels, per training example."""

    title = "relaxed translation convolution"
    place = "weights"
    papers = (("Wang et al. 2022", "2201.11969"),)
    nets = ("steerable",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation")

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        group_named("group", self.group)

    def model(self, setup: Setup) -> nn.Module:
        twins = {"learned": SteerableConv, "exact": SteerableConv, "plain": FreeConv}
        net = steerable_net(self.name, setup, self.group, twins, self.band_limit)
        return self._relaxed(net, setup) if setup.twin == "learned" else net

    def _relaxed(self, net: nn.Module, setup: Setup) -> nn.Module:
        """The network with every convolution relaxed over the pixels of its output."""
        for name, shape in _output_shapes(net, torch.zeros(1, *setup.data.in_shape)).items():
            parent, _, own = name.rpartition(".")
            conv = net.get_submodule(name)
            assert isinstance(conv, SteerableConv)
            setattr(net.get_submodule(parent), own, RelaxedTranslationConv(conv, shape, self.banks))
        return net

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, Prior(setup.examples, self.weight))

    def tested(self, data: Signature) -> Symmetry:
        return symmetry_by_name("translation2d")

    def law(self, data: Signature) -> GroupDistribution | None:
        return shifts()


@torch.no_grad()
def _output_shapes(net: nn.Module, x: Tensor) -> dict[str, tuple[int, ...]]:
    """Pixels of the output of each steerable convolution, by its path."""
    paths = {module: path for path, module in net.named_modules() if isinstance(module, SteerableConv)}
    shapes: dict[str, tuple[int, ...]] = {}

    def note(module: nn.Module, _: object, y: Tensor) -> None:
        shapes[paths[module]] = tuple(y.shape[2:])  # pyright: ignore[reportArgumentType]

    hooks = [module.register_forward_hook(note) for module in paths]
    net.eval()(x)
    net.train()
    for hook in hooks:
        hook.remove()
    return shapes
