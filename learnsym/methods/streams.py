"""Streams: a network for each of several groups, with learned weights that say which of them to trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from torch import nn

from learnsym._settings import Distinct, NotNegative, check_settings
from learnsym.data import Signature
from learnsym.equivariant import Monomials, PointwiseMLP, WeightedSums
from learnsym.groups import Cyclic, Group
from learnsym.methods._checks import group_named
from learnsym.methods._images import on_targets, refuse_clouds
from learnsym.methods._method import Method, Setup
from learnsym.methods._steerable import invariance
from learnsym.nets import InvariantCNN
from learnsym.objectives import MixtureLikelihood, Objective
from learnsym.relax import Streams
from learnsym.relax.streams import NONE
from learnsym.symmetry import Symmetry

INTEGRANDS: dict[str, Callable[..., Any] | None] = {
    "pooling": None,
    "monomials": lambda fields: Monomials(fields, count=8),
    "weighted_sums": lambda fields: WeightedSums(fields, 24),
    "perceptron": lambda fields: PointwiseMLP(fields, 24, hidden=16),
}


@dataclass(frozen=True, kw_only=True)
class GroupStreams(Method):
    """A mixture of invariant classifiers, one a group; `exact` is that of the last group alone, `plain` of none."""

    name: Literal["streams"] = "streams"
    groups: Annotated[list[str], Distinct(2)] = field(default_factory=lambda: [NONE, "C_4", "D_4"])
    """Group of each stream, C_N or D_N, and none for one without symmetry; the last is that of the exact twin."""
    integrand: Literal["pooling", "monomials", "weighted_sums", "perceptron"] = "weighted_sums"
    """What each stream integrates over its group: the largest component, or an invariant function of the fields."""
    own: NotNegative = 1.0
    """Weight of the loss of each stream by itself; 0 is the exact likelihood of the mixture."""

    title = "invariant integration, and a mixture over streams of several groups"
    place = "weights"
    papers = (("Rath and Condurache 2023", "2303.01567"),)
    nets = ("invariant",)
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation")
    losses = ("cross_entropy",)

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        if any(_group(name).order is None for name in self.groups):
            raise ValueError(f"method.groups: got {self.groups}, must be {NONE}, C_N or D_N, such as C_4")

    def model(self, setup: Setup) -> nn.Module:
        refuse_clouds(self.name, setup)
        channels, classes = setup.data.in_shape[0], setup.data.classes

        def stream(name: str) -> nn.Module:
            integrand = INTEGRANDS[self.integrand]
            return InvariantCNN(_group(name), channels, classes, setup.net.width, integrand, setup.net.depth)

        twins: dict[str, Callable[[], nn.Module]] = {
            "learned": lambda: Streams({name: stream(name) for name in self.groups}),
            "plain": lambda: stream(NONE),
            "exact": lambda: stream(self.groups[-1]),
        }
        return twins[setup.twin]()

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        if setup.twin != "learned":
            return on_targets(setup.loss)
        return setup.chosen(MixtureLikelihood(setup.examples, self.own))

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.groups[-1])


def _group(name: str) -> Group:
    return Cyclic(1) if name == NONE else group_named("groups", name)
