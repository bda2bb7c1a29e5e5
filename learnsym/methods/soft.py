"""Soft equivariance: weights of any image network, such as a pretrained one, projected up to a dial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import nn

from learnsym._settings import Share, check_settings
from learnsym.data import Signature
from learnsym.methods._checks import group_named
from learnsym.methods._images import image_net, regularised
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance
from learnsym.objectives import Objective
from learnsym.relax import FixedSoftness, LearnedSoftness, Softened
from learnsym.relax.softness.moved_entries import lattice_differences
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class Soft(Method):
    """Kernels and tables of positions of a network held near the symmetric ones, by a dial for each.

    `plain` is the network itself, `exact` has all dials at 0, `fixed` at the softness that you choose; those of
    `learned` follow a loss, best that of held-out examples.
    """

    name: Literal["soft"] = "soft"
    group: str = "C_4"
    """Group of the learned, the fixed and the exact twin, which permutes pixels: C_2, C_4, D_1, D_2 or D_4."""
    softness: Share = 0.8
    """The dial, between 0, strict, and 1, weights as they are: of the fixed twin; of the learned one at the start."""

    title = "soft equivariance: weights of any image network, such as a pretrained one, projected up to a dial"
    place = "weights"
    papers = (("Rahman et al. 2026", "2603.26657"),)
    nets = ("cnn", "mario", "cifar")
    twins = ("learned", "plain", "fixed", "exact")
    choosers = ("validation", "training")

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        try:
            lattice_differences(group_named("group", self.group), 2)
        except ValueError as error:
            raise ValueError(str(error).replace("group:", "method.group:", 1)) from error

    @classmethod
    def takes_any_net(cls) -> bool:
        return True

    def model(self, setup: Setup) -> nn.Module:
        net, group = image_net(self.name, setup), group_named("group", self.group)
        twins: dict[str, Callable[[], nn.Module]] = {
            "learned": lambda: Softened(net, group, LearnedSoftness(self.softness)),
            "plain": lambda: net,
            "fixed": lambda: Softened(net, group, FixedSoftness(self.softness)),
            "exact": lambda: Softened(net, group, FixedSoftness(0)),
        }
        return twins[setup.twin]()

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup)

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group)
