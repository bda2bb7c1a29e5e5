"""REMUL: any network, with penalties on imperfect symmetry in the loss, each with a weight that something chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from torch import nn

from learnsym import nets
from learnsym._settings import Copies, Count, Distinct, In, NotNegative, check_settings
from learnsym.augment import OrbitAveraged, Plain, averages, quadrature
from learnsym.data import Signature
from learnsym.data.signature import SPACE
from learnsym.methods._checks import average_fits, check_symmetry
from learnsym.methods._images import image_net
from learnsym.methods._method import Method, Setup
from learnsym.methods._points import answering, clouds
from learnsym.nets.config import IMAGE_NETS, POINT_NETS, NetConfig
from learnsym.objectives import LossConfig, MovedExamples, Objective, Supervised, bank
from learnsym.objectives import Remul as Penalised
from learnsym.objectives.candidate import FEWEST
from learnsym.objectives.choosers import Chooser
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class Remul(Method):
    """A plain network pushed towards the candidates by penalties; the weight of each says how much of it holds.

    `plain` has no penalty; `fixed` is trained on examples and targets moved uniformly by the first candidate; `exact`
    is averaged over an orbit of it (images), or is another network with about as many parameters (clouds).
    """

    name: Literal["remul"] = "remul"
    mode: Literal["anchored", "functional", "twirl"] = "functional"
    """Loss on moved examples with moved labels; defect of the function; its variance along the orbit."""
    symmetries: Annotated[list[str], Distinct(1)] = field(default_factory=lambda: ["so3"])
    """Candidates, each with a weight of its own: so3, o3, so2_x, so2_y, so2_z, octahedral, signed_permutations for
    clouds of points; names such as rotation2d for images."""
    weight: NotNegative = 1.0
    """Weight of each penalty with the chooser training; the one they start with with gradnorm and dual."""
    samples: Copies | None = None
    """Moves of each example per step; None for the fewest that the mode takes."""
    fraction: Annotated[float, In("(0, 1]")] = 1.0
    """Share of the batch that is moved, by all candidates together: what the penalty costs beside the task."""
    every: Count = 1
    """Steps between penalties."""
    orbit: Copies = 8
    """Exact, images: number of elements of the orbit average."""
    average: Literal["log_probabilities", "probabilities", "outputs"] = "outputs"
    """Exact, images: how outputs for several copies become one; for cross-entropy `log_probabilities` is the same."""

    title = "REMUL: penalties anchored to labels, functional or along the orbit; banks of candidate groups"
    place = "loss"
    papers = (("Elhag et al. 2024", "2410.17878"),)
    nets = (*IMAGE_NETS, *POINT_NETS)
    twins = ("learned", "plain", "fixed", "exact")
    choosers = ("training", "validation", "gradnorm", "dual")
    losses = ("cross_entropy", "mse", "potential")

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        for name in set(self.symmetries) - SPACE.keys():
            check_symmetry("symmetries", name)
        if self.samples is not None and self.samples < FEWEST[self.mode]:
            least = FEWEST[self.mode]
            raise ValueError(f"method.samples: got {self.samples}, must be >= {least} for the mode {self.mode}")

    def check(self, net: NetConfig, loss: LossConfig, twins: Sequence[str], chooser: Chooser) -> None:
        super().check(net, loss, twins, chooser)
        average_fits(self.average, loss.name)
        of_clouds = [name for name in self.symmetries if name in SPACE]
        if net.name in IMAGE_NETS and of_clouds:
            raise ValueError(
                f"method.symmetries: got {self.symmetries} with the network {net.name}, which takes images, and "
                f"{of_clouds[0]} moves clouds of points; name symmetries of images, such as [rotation2d], or take one "
                f"of the networks {', '.join(POINT_NETS)}"
            )
        if net.name in POINT_NETS and len(of_clouds) < len(self.symmetries):
            raise ValueError(
                f"method.symmetries: got {self.symmetries} with the network {net.name}, which takes clouds of points; "
                f"must be among {', '.join(SPACE)}"
            )

    def model(self, setup: Setup) -> nn.Module:
        return self._of_images(setup) if setup.data.on_input is None else self._of_clouds(setup)

    def _of_images(self, setup: Setup) -> nn.Module:
        net, symmetry = image_net(self.name, setup), self.tested(setup.data)
        if setup.twin != "exact":
            return Plain(net)
        return OrbitAveraged(net, symmetry, quadrature(symmetry.group, self.orbit), average=averages[self.average])

    def _of_clouds(self, setup: Setup) -> nn.Module:
        on_input, on_output = clouds(self.name, setup)
        if setup.twin != "exact":
            return self._plain_of_clouds(setup)
        if setup.net.weights is not None:
            raise ValueError(
                f"net.weights: got {setup.net.weights} with the twin exact, which is another network, "
                f"{setup.net.exact}; leave it out, or leave out this twin"
            )
        parameters = nets.parameter_count(self._plain_of_clouds(setup))
        return answering(setup, nets.exact_points(setup.net, on_input, on_output, parameters)(on_input))

    def _plain_of_clouds(self, setup: Setup) -> nn.Module:
        if setup.net.source is not None:
            return nets.build(setup.net, setup.data.in_shape, 0, setup.data.moves)
        return answering(setup, nets.build_points(setup.net, *clouds(self.name, setup)))

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        loss = setup.loss.function()
        twins: dict[str, Callable[[], Objective]] = {
            "learned": lambda: self._penalised(setup, model),
            "plain": lambda: Supervised(loss),
            "fixed": lambda: MovedExamples(loss, self.tested(setup.data)),
            "exact": lambda: Supervised(loss),
        }
        return twins[setup.twin]()

    def _penalised(self, setup: Setup, model: nn.Module) -> Objective:
        symmetries = {name: setup.data.symmetry(name) for name in self.symmetries}
        candidates = bank(symmetries, self.mode, self.fraction, self.samples)
        weighting = setup.chooser.weighting(self.symmetries, self.weight, last_layer(model))
        held_out = setup.held_out if weighting.needs_held_out else None
        return Penalised(setup.loss.function(), candidates, weighting, held_out=held_out, every=self.every)

    def tested(self, data: Signature) -> Symmetry:
        return data.symmetry(self.symmetries[0])


def last_layer(model: nn.Module) -> list[nn.Parameter]:
    """The parameters of the last module that has any of its own: where gradients of task and penalties are compared."""
    owned = [list(module.parameters(recurse=False)) for module in model.modules()]
    return next(parameters for parameters in reversed(owned) if parameters)
