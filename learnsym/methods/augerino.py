"""Augerino: a distribution over transformations of the input, learned with the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from torch import nn

from learnsym._settings import Copies, NotNegative, Share, check_settings
from learnsym.augment import Augmented, Hypotheses, OrbitAveraged, Plain, averages, equivariant, fixed, laws, quadrature
from learnsym.augment.laws import different
from learnsym.data import Signature
from learnsym.distributions import LearnableDistribution, learnable
from learnsym.groups import Group
from learnsym.methods._checks import average_fits, check_symmetry
from learnsym.methods._images import image_net, regularised
from learnsym.methods._method import Method, Setup
from learnsym.nets.config import IMAGE_NETS, NetConfig
from learnsym.objectives import LossConfig, Objective, regularisers
from learnsym.objectives.choosers import Chooser, Selection
from learnsym.objectives.terms import Reward
from learnsym.symmetry import Symmetry, symmetry_by_name


@dataclass(frozen=True, kw_only=True)
class Augerino(Method):
    """The network averaged over transformed inputs, by a distribution with a reward for being wide.

    Twins hold the same network: `plain` alone, `fixed` with a distribution that you choose, `exact` averaged over an
    orbit of a compact group.
    """

    name: Literal["augerino"] = "augerino"
    symmetry: str = "affine2d"
    """Name of the symmetry of the learned and the fixed twin."""
    output: Literal["invariant", "equivariant"] = "invariant"
    """Whether outputs stay (classes, numbers) or move with the inputs (label maps)."""
    init: Share = 0.3
    """Learned: half-widths at the start as a fraction of the caps; probabilities of all elements but the identity."""
    regulariser: Literal["norm", "squared_norm", "sparse_norm", "entropy"] = "sparse_norm"
    """Learned: reward: norm of the full widths (the code of Augerino), its square (the paper), the norm less 0.4 times
    the sum of widths (closes generators that the data do not ask for), or entropy (free of units)."""
    weight: NotNegative = 0.03
    """Learned: weight of the regulariser, not negative."""
    fixed: dict[str, NotNegative] = field(default_factory=dict)
    """Fixed: half-width per generator in its reporting unit, such as `rotation: 30`; absent generators are 0."""
    exact: str = "rotation2d"
    """Exact: name of the symmetry of a compact group."""
    orbit: Copies = 8
    """Exact: number of elements of the orbit average, in training and in evaluation."""
    copies: Copies = 1
    """Learned and fixed: transformed copies of each example in training."""
    test_copies: Copies = 8
    """Learned and fixed: transformed copies in evaluation, the same number for both."""
    average: Literal["log_probabilities", "probabilities", "outputs"] = "outputs"
    """How outputs for several copies become one; for cross-entropy `log_probabilities` is the same."""

    title = "Augerino: box with caps and a reward for widths; geometry and colour; invariant and equivariant"
    place = "data"
    papers = (("Benton et al. 2020", "2010.11882"),)
    nets = IMAGE_NETS
    twins = ("learned", "plain", "fixed", "exact")
    choosers = ("selection", "training", "validation", "marginal_likelihood")
    losses = ("cross_entropy", "mse", "segmentation")

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        check_symmetry("symmetry", self.symmetry)
        check_symmetry("exact", self.exact)

    def check(self, net: NetConfig, loss: LossConfig, twins: Sequence[str], chooser: Chooser) -> None:
        super().check(net, loss, twins, chooser)
        average_fits(self.average, loss.name)

    def model(self, setup: Setup) -> nn.Module:
        net = image_net(self.name, setup)
        twins: dict[str, Callable[[], nn.Module]] = {
            "learned": lambda: self._learned(net, setup),
            "plain": lambda: Plain(net),
            "fixed": lambda: self._augmented(net, setup, lambda group: fixed(group, self.fixed)),
            "exact": lambda: self._averaged(net, setup),
        }
        return twins[setup.twin]()

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        return regularised(setup, Reward(regularisers[self.regulariser], self.weight))

    def tested(self, data: Signature) -> Symmetry:
        return self._as_output(data.symmetry(self.exact))

    def moved(self, data: Signature) -> Symmetry | None:
        return symmetry_by_name(self.symmetry)

    def at_width(self, generator: str, width: float) -> Method | None:
        return replace(self, fixed={generator: width})

    def varied(self) -> Group | None:
        return symmetry_by_name(self.symmetry).group

    def unused(self, chooser: Chooser) -> tuple[str, ...]:
        unused = {"selection": ("init", "regulariser", "weight"), "marginal_likelihood": ("regulariser", "weight")}
        return unused.get(chooser.name, ())

    def _learned(self, net: nn.Module, setup: Setup) -> nn.Module:
        if not isinstance(setup.chooser, Selection):
            return self._augmented(net, setup, lambda group: learnable(group, self.init))
        symmetry = self._as_output(setup.data.symmetry(self.symmetry))
        own = [fixed(symmetry.group, self.fixed)] if self.fixed else []
        return Hypotheses(net, symmetry, different([*laws(symmetry.group), *own]), **self._averaging())

    def _augmented(self, net: nn.Module, setup: Setup, law: Callable[[Group], LearnableDistribution]) -> nn.Module:
        symmetry = self._as_output(setup.data.symmetry(self.symmetry))
        return Augmented(net, symmetry, law(symmetry.group), **self._averaging())

    def _averaging(self) -> dict[str, Any]:
        return {"copies": self.copies, "test_copies": self.test_copies, "average": averages[self.average]}

    def _averaged(self, net: nn.Module, setup: Setup) -> nn.Module:
        symmetry = self.tested(setup.data)
        return OrbitAveraged(net, symmetry, quadrature(symmetry.group, self.orbit), average=averages[self.average])

    def _as_output(self, symmetry: Symmetry) -> Symmetry:
        return equivariant(symmetry) if self.output == "equivariant" else symmetry
