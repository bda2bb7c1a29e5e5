"""Node identifiers: learned scalars of each position tell apart nodes that are not exchangeable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import nn

from learnsym import nets
from learnsym._settings import In, NotNegative, check_settings
from learnsym.actions import PointCloud, Set
from learnsym.data import Signature
from learnsym.groups import Permutation
from learnsym.methods._method import Method, Setup
from learnsym.methods._points import clouds
from learnsym.nets.config import POINT_NETS
from learnsym.objectives import Objective, Regularised, Supervised
from learnsym.objectives.terms import Prior
from learnsym.relax.points import NodeIdentifiers, OneHotIdentifiers
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class WithNodeIdentifiers(Method):
    """The network of the configuration on clouds: `learned`, with learned scalars for each point, as far as a prior
    lets them differ; `exact`, the same one with none, so that all points are exchangeable; `plain`, with a unit vector
    for each point."""

    name: Literal["node_identifiers"] = "node_identifiers"
    features: Annotated[int, In("[1, 1000]")] = 4
    """Learned: scalars of each point."""
    weight: NotNegative = 1.0
    """Learned: weight of the prior; 1 is Bayes' rule."""

    title = "learned identifiers of nodes beside networks of points"
    place = "weights"
    papers = (("after Huang et al. 2023", "2308.10436"),)
    nets = POINT_NETS
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation")
    losses = ("mse",)

    def __post_init__(self) -> None:
        check_settings(self, "method.")

    def model(self, setup: Setup) -> nn.Module:
        on_input, on_output = clouds(self.name, setup)
        points = setup.data.in_shape[0]

        def make(types: PointCloud) -> nn.Module:
            return nets.build_points(setup.net, types, on_output)

        if setup.twin == "plain":
            return OneHotIdentifiers(make, on_input, points)
        learned = NodeIdentifiers(make, on_input, points, self.features)
        return learned if setup.twin == "learned" else learned.exact()

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        task = Supervised(setup.loss.function())
        if setup.twin != "learned":
            return task
        return setup.chosen(Regularised(task, [Prior(setup.examples, self.weight)]))

    def tested(self, data: Signature) -> Symmetry:
        return Symmetry(Permutation(data.in_shape[0]), Set(), Set()).at(input=data.moves)
