"""What methods share whose degree lives in extra inputs of an exact network on clouds of points."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from learnsym import nets
from learnsym._settings import Copies, NotNegative, check_settings
from learnsym.actions import PointCloud, PointVectors
from learnsym.data import Signature
from learnsym.data.signature import SPACE
from learnsym.methods._method import Method, Setup
from learnsym.nets.config import POINT_NETS
from learnsym.objectives import MovedExamples, Objective, Regularised, Supervised
from learnsym.objectives.terms import Prior
from learnsym.relax.points.extras import Make
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class OfPoints(Method):
    """Networks on clouds: `plain`; `fixed`, that network trained on uniformly moved examples; `exact`, another network
    with about as many parameters; `learned`, the exact one with inputs that may break its symmetry."""

    symmetry: str = "so3"
    """Symmetry of the fixed twin, by which examples and targets are moved: so3, o3, so2_x, so2_y, so2_z, octahedral or
    signed_permutations; it is what pages measure, too."""
    copies: Copies = 1
    """Fixed: moved copies of each example."""
    weight: NotNegative = 1.0
    """Learned: weight of the prior; 1 is Bayes' rule."""

    place = "weights"
    nets = POINT_NETS
    twins = ("learned", "plain", "fixed", "exact")
    choosers = ("training", "validation")
    losses = ("mse",)

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        if self.symmetry not in SPACE or not SPACE[self.symmetry]().is_compact:
            compact = ", ".join(name for name, group in SPACE.items() if group().is_compact)
            raise ValueError(f"method.symmetry: got {self.symmetry!r}, must be one of {compact}, which are compact")

    @abc.abstractmethod
    def relaxed(self, make: Make, inputs: PointCloud) -> nn.Module:
        """The exact network that `make` builds, with inputs that may break its symmetry."""

    def model(self, setup: Setup) -> nn.Module:
        on_input, on_output = clouds(self.name, setup.data)
        twins: dict[str, Callable[[], nn.Module]] = {
            "learned": lambda: self.relaxed(nets.exact_points(setup.net, on_input, on_output), on_input),
            "plain": lambda: nets.build_points(setup.net, on_input, on_output),
            "fixed": lambda: nets.build_points(setup.net, on_input, on_output),
            "exact": lambda: nets.exact_points(setup.net, on_input, on_output)(on_input),
        }
        return twins[setup.twin]()

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        task = Supervised(setup.loss.function())
        if setup.twin == "learned":
            return setup.chooser.over(
                Regularised(task, [Prior(setup.examples, self.weight)]), setup.held_out, setup.steps
            )
        if setup.twin == "fixed":
            return MovedExamples(setup.loss.function(), setup.data.symmetry(self.symmetry), self.copies)
        return task

    def tested(self, data: Signature) -> Symmetry:
        return data.symmetry(self.symmetry)


def clouds(method: str, data: Signature) -> tuple[PointCloud, PointCloud | PointVectors]:
    """What points carry and what is predicted of them.

    Raises:
        ValueError: for data that are no clouds.
    """
    if data.on_input is None or data.on_output is None:
        raise ValueError(
            f"method.name: got {method!r} for data of shape {tuple(data.in_shape)}, it takes clouds of points; take "
            "another method, such as augerino"
        )
    return data.on_input, data.on_output
