"""InstaAug: augmentation by instance, a distribution over transformations that depends on the input."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from torch import nn

from learnsym import nets
from learnsym._settings import Copies, Share, check_settings
from learnsym.augment import (
    Augmented,
    InstanceBox,
    InstanceCategorical,
    OrbitAveraged,
    Plain,
    averages,
    quadrature,
)
from learnsym.data import Signature
from learnsym.distributions import LearnableDistribution
from learnsym.groups import Group
from learnsym.methods._checks import average_fits, check_symmetry
from learnsym.methods._images import image_net, regularised
from learnsym.methods._method import Method, Setup
from learnsym.methods.remul import last_layer
from learnsym.nets.config import IMAGE_NETS, NetConfig
from learnsym.objectives import LossConfig, Objective
from learnsym.objectives.choosers import Chooser
from learnsym.objectives.terms import EntropyBand
from learnsym.symmetry import Symmetry, symmetry_by_name


@dataclass(frozen=True, kw_only=True)
class InstanceWise(Method):
    """The network averaged over transformed inputs, by a distribution that a second network gives for each input.

    Its mean entropy is held in a band by multipliers. The second network has the form of the first and as many weights,
    which `plain` and `exact` lack.
    """

    name: Literal["instance_wise"] = "instance_wise"
    symmetry: str = "affine2d"
    """Name of the symmetry of the learned twin: of a Lie group with finite caps, or of a finite group."""
    narrow: Share = 0.05
    """Lower end of the band: the geometric mean of the half-widths, as a fraction of the caps; for a finite group the
    mean entropy, as a fraction of that of the uniform distribution."""
    wide: Share = 0.5
    """Upper end of the band, likewise."""
    init: Share = 0.3
    """Half-widths at the start as a fraction of the caps; not for a finite group, which starts uniform."""
    exact: str = "rotation2d"
    """Exact: name of the symmetry of a compact group."""
    orbit: Copies = 8
    """Exact: number of elements of the orbit average."""
    copies: Copies = 1
    """Learned: transformed copies of each example in training."""
    test_copies: Copies = 8
    """Learned: transformed copies in evaluation."""
    average: Literal["log_probabilities", "probabilities", "outputs"] = "outputs"
    """How outputs for several copies become one; for cross-entropy `log_probabilities` is the same."""

    title = "augmentation per instance, entropy in a band (InstaAug)"
    place = "data"
    papers = (("Miao et al. 2022", "2206.00051"),)
    nets = tuple(name for name in IMAGE_NETS if name not in ("segmentation", "spherical_unet"))
    twins = ("learned", "plain", "exact")
    choosers = ("training",)

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        if self.narrow > self.wide:
            raise ValueError(f"method.narrow: got {self.narrow}, must be <= method.wide, {self.wide}; lower it")
        check_symmetry("symmetry", self.symmetry)
        check_symmetry("exact", self.exact)

    def check(self, net: NetConfig, loss: LossConfig, twins: Sequence[str], chooser: Chooser) -> None:
        super().check(net, loss, twins, chooser)
        average_fits(self.average, loss.name)

    def model(self, setup: Setup) -> nn.Module:
        net = image_net(self.name, setup)
        twins: dict[str, Callable[[], nn.Module]] = {
            "learned": lambda: self._augmented(net, setup),
            "plain": lambda: Plain(net),
            "exact": lambda: self._averaged(net, setup),
        }
        return twins[setup.twin]()

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        low, high = band(symmetry_by_name(self.symmetry).group, self.narrow, self.wide)
        return regularised(setup, EntropyBand(low, high))

    def tested(self, data: Signature) -> Symmetry:
        return data.symmetry(self.exact)

    def moved(self, data: Signature) -> Symmetry | None:
        return symmetry_by_name(self.symmetry)

    def _augmented(self, net: nn.Module, setup: Setup) -> nn.Module:
        symmetry = setup.data.symmetry(self.symmetry)
        options = {"copies": self.copies, "test_copies": self.test_copies, "average": averages[self.average]}
        return Augmented(net, symmetry, self._distribution(symmetry.group, setup), **options)

    def _distribution(self, group: Group, setup: Setup) -> LearnableDistribution:
        outputs = group.dim or len(group.components)
        second = self._second(setup, outputs)
        for parameter in last_layer(second):  # the same distribution for every input at the start
            nn.init.zeros_(parameter)
        return InstanceCategorical(group, second) if group.order else InstanceBox(group, second, self.init)

    def _second(self, setup: Setup, outputs: int) -> nn.Module:
        try:
            return nets.build(replace(setup.net, weights=None), setup.data.in_shape, outputs, setup.data.moves)
        except ValueError as error:
            raise ValueError(
                f"net.name: the second network of the method {self.name}, whose {outputs} outputs are a distribution, "
                f"cannot be made ({str(error).removeprefix('net.name: ')})"
            ) from error

    def _averaged(self, net: nn.Module, setup: Setup) -> nn.Module:
        symmetry = self.tested(setup.data)
        return OrbitAveraged(net, symmetry, quadrature(symmetry.group, self.orbit), average=averages[self.average])


def band(group: Group, narrow: float, wide: float) -> tuple[float, float]:
    """Entropies in nats of the two ends of a band: `Σ_i log(2 · fraction · cap_i)`, or `fraction · log K`."""
    if group.order:
        largest = math.log(len(group.components))
        return narrow * largest, wide * largest
    caps = [generator.cap for generator in group.generators]
    low, high = (sum(math.log(2 * fraction * cap) for cap in caps) for fraction in (narrow, wide))
    return low, high
