"""Constrained equivariance: layers with a free branch behind a gain, which a constraint, a cost or a state holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from torch import nn

from learnsym import nets
from learnsym._settings import In, NotNegative, check_settings
from learnsym.data import Signature
from learnsym.equivariant import FreeConv, SteerableConv
from learnsym.methods._checks import group_named
from learnsym.methods._images import on_targets
from learnsym.methods._method import Method, Setup, learns
from learnsym.methods._points import clouds
from learnsym.methods._steerable import invariance, steerable_net
from learnsym.nets import NetConfig
from learnsym.nets.config import POINT_NETS
from learnsym.nets.points import EGNN, with_free_paths
from learnsym.objectives import LossConfig, Objective
from learnsym.objectives.choosers import Chooser
from learnsym.relax import GainedLayer, ScaledPathway
from learnsym.relax.scaled_pathway import leaves_room
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class Constrained(Method):
    """A network whose layers are exact ones plus a gain times a free branch; what holds the gains is the chooser.

    Images: a steerable network; clouds of points: an E(3) graph network, net.exact egnn. `exact` is that network alone,
    `plain` another one with about as many parameters (clouds) or channels (images).
    """

    name: Literal["constrained"] = "constrained"
    group: str = "C_4"
    """Images: group of the learned and the exact twin: C_N, D_N, SO(2) or O(2)."""
    band_limit: Annotated[int, In("[1, 16]")] = 2
    """Images: highest frequency of the fields of SO(2) and O(2)."""
    symmetry: Literal["so3", "o3"] = "so3"
    """Clouds: symmetry that pages measure."""
    start: NotNegative = 1.0
    """Gain of every layer at the start; the choosers modulation and forward_selection begin at 0."""

    title = "free branches behind gains: constraints, costs, schedules, states"
    place = "weights"
    papers = (("Manolache et al. 2025", "2505.13631"), ("after Pertigkiozoglou et al. 2026", "2602.02853"))
    nets = ("steerable", *POINT_NETS)
    twins = ("learned", "plain", "exact")
    choosers = (
        *("resilience", "training", "validation", "equality", "ridge", "schedule"),
        *("modulation", "forward_selection"),
    )

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        group_named("group", self.group)

    def check(self, net: NetConfig, loss: LossConfig, twins: Sequence[str], chooser: Chooser) -> None:
        super().check(net, loss, twins, chooser)
        if net.name in POINT_NETS and net.exact != "egnn":
            raise ValueError(
                f"net.exact: got {net.exact!r} with the method constrained, must be egnn, whose layers can have free "
                "paths"
            )

    def unused(self, chooser: Chooser) -> tuple[str, ...]:
        return ("start",) if chooser.starts_exact else ()

    def model(self, setup: Setup) -> nn.Module:
        net = self._of_images(setup) if setup.data.on_input is None else self._of_clouds(setup)
        for layer in net.modules():
            if isinstance(layer, GainedLayer):
                layer.gain.value.requires_grad_(not setup.chooser.sets_gains)
        return net

    def _start(self, setup: Setup) -> float:
        return 0.0 if setup.chooser.starts_exact else self.start

    def _of_images(self, setup: Setup) -> nn.Module:
        def relaxed(*types: Any, **options: Any) -> nn.Module:  # noqa: ANN401  as of SteerableConv
            exact = SteerableConv(*types, **options)
            return ScaledPathway(exact, start=self._start(setup)) if leaves_room(exact) else exact

        twins = {"learned": relaxed, "exact": SteerableConv, "plain": FreeConv}
        return steerable_net(self.name, setup, self.group, twins, self.band_limit)

    def _of_clouds(self, setup: Setup) -> nn.Module:
        on_input, on_output = clouds(self.name, setup)
        if setup.twin == "plain":
            return nets.build_points(setup.net, on_input, on_output)
        exact = cast("EGNN", nets.exact_points(setup.net, on_input, on_output)(on_input))
        return with_free_paths(exact, start=self._start(setup)) if learns(setup.twin) else exact

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        task = on_targets(setup.loss)
        return setup.chosen(task) if learns(setup.twin) else task

    def tested(self, data: Signature) -> Symmetry:
        return invariance(self.group) if data.on_input is None else data.symmetry(self.symmetry)
