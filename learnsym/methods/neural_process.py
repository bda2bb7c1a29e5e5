"""Approximately equivariant neural processes: fixed functions of location beside an exact one, dropped at random."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import torch
from torch import nn

from learnsym._settings import In, Positive, check_settings
from learnsym.data import Signature
from learnsym.distributions import GroupDistribution, LieBox
from learnsym.groups import Group
from learnsym.methods._checks import group_named
from learnsym.methods._method import Method, Setup, learns
from learnsym.nets import NetConfig, matched_width, parameter_count
from learnsym.nets.config import PROCESS_NETS
from learnsym.nets.processes import TNP, BankedBody, ConvBody, ConvCNP, SteerableBody, TranslationTNP
from learnsym.objectives import LossConfig, Objective, Supervised
from learnsym.objectives.choosers import Chooser
from learnsym.relax.processes import ApproximateProcess, FixedFunctions, WithCoordinates
from learnsym.symmetry import Symmetry
from learnsym.tasks import LOCATIONS

ON_LATTICE = ("spacing", "points", "kernel")
UNUSED = {"convcnp": ("group",), "equivcnp": ("relaxation",), "tnp": (*ON_LATTICE, "relaxation", "group")}
"""Settings that a network makes no use of."""


@dataclass(frozen=True, kw_only=True)
class NeuralProcess(Method):
    """Regression from a context: `exact`, equivariant; `plain`, which sees coordinates everywhere; `learned`, the exact
    one with fixed functions of location within a box, which training drops at random."""

    name: Literal["neural_process"] = "neural_process"
    relaxation: Literal["inputs", "banks"] = "inputs"
    """Convcnp: what fixed functions do: they are extra inputs of the lattice, or weigh 3 banks of kernels a layer."""
    inputs: Annotated[int, In("[1, 10000]")] = 16
    """Number of fixed functions, the capacity of the departure; banks have 3 a layer."""
    drop: Annotated[float, In("[0, 1)")] = 0.5
    """Probability that a task has no fixed functions in training, never in evaluation."""
    box: list[Annotated[float, In("[-1e6, 1e6]")]] = field(default_factory=lambda: [-2.0, 2.0])
    """Ends, along every axis, of the box outside of which fixed functions are 0: where training contexts lie."""
    spacing: Positive = 0.1
    """Convcnp, equivcnp: distance of neighbours on the lattice."""
    points: Annotated[int, In("[2, 100000]")] = 130
    """Convcnp, equivcnp: points of the lattice along an axis; it reaches half of them from the mean of the context."""
    kernel: Annotated[int, In("[1, 999]")] = 9
    """Convcnp, equivcnp: lattice points of a kernel along an axis, odd."""
    group: str = "C_4"
    """Equivcnp: group of the plane, C_N or D_N, with which the network commutes beside translations."""
    symmetry: Literal["translation", "quarter_turns"] = "translation"
    """What pages measure; quarter turns of tasks of the plane only."""
    shift: Positive = 1.0
    """Half-width of the translations that pages measure, along every axis."""

    title = "fixed functions of location in neural processes, dropped at random"
    place = "weights"
    papers = (("Ashman et al. 2024", "2406.13488"),)
    nets = PROCESS_NETS
    twins = ("learned", "plain", "exact")
    choosers = ("training", "validation")
    losses = ("gaussian",)

    def __post_init__(self) -> None:
        check_settings(self, "method.")
        if len(self.box) != 2 or not self.box[0] < self.box[1]:
            raise ValueError(f"method.box: got {self.box}, must be two numbers, the lower first, such as [-2, 2]")
        if self.kernel % 2 == 0:
            raise ValueError(f"method.kernel: got {self.kernel}, must be odd; take {self.kernel + 1}")
        if group_named("group", self.group).order is None:
            raise ValueError(f"method.group: got {self.group!r}, must be C_N or D_N, such as C_4")

    def check(self, net: NetConfig, loss: LossConfig, twins: Sequence[str], chooser: Chooser) -> None:
        super().check(net, loss, twins, chooser)
        unused = {**dict.fromkeys(UNUSED[net.name], f"the network {net.name}")}
        if self.relaxation == "banks":
            unused["inputs"] = "the relaxation banks"
        for name, by in unused.items():
            if getattr(self, name) != getattr(type(self)(), name):
                raise ValueError(f"method.{name}: got {getattr(self, name)!r}, which {by} does not use; leave it out")

    def model(self, setup: Setup) -> nn.Module:
        dim, values = _task(self.name, setup.data)
        if setup.net.name == "equivcnp" and dim != 2:
            raise ValueError(f"net.name: got 'equivcnp' for locations of dimension {dim}, must be 2; take convcnp")
        if setup.twin == "plain":
            return self._plain(setup.net, dim, values)
        if not learns(setup.twin):
            return self._exact(setup.net, dim, values)
        net = self._exact(setup.net, dim, values, self.inputs, self.relaxation)
        low, high = self.box
        functions = FixedFunctions(dim, net.extras, low, high)
        return ApproximateProcess(net, functions, self.drop)

    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        task = Supervised(setup.loss.function())
        return setup.chosen(task) if learns(setup.twin) else task

    def tested(self, data: Signature) -> Symmetry:
        dim, _ = _task(self.name, data)
        return data.symmetry(f"translation{dim}d" if self.symmetry == "translation" else "quarter_turns2d")

    def law(self, data: Signature) -> GroupDistribution | None:
        group: Group = self.tested(data).group
        return None if group.is_compact else LieBox(group, torch.full((group.dim,), float(self.shift)))

    def _exact(self, net: NetConfig, dim: int, values: int, extras: int = 0, relaxation: str = "inputs") -> Any:  # noqa: ANN401  a process of nets.processes
        """The equivariant process, which can take so many extra inputs."""
        if net.name == "tnp":
            sizes = {"width": net.width, "depth": net.depth, "heads": _heads(net.width)}
            return TranslationTNP(dim, values, **sizes, extras=extras)
        bodies: dict[str, Callable[[], nn.Module]] = {
            "convcnp": lambda: ConvBody(dim, net.width, net.depth, self.kernel, extras),
            "equivcnp": lambda: SteerableBody(
                net.width, net.depth, self.kernel, extras, group_named("group", self.group)
            ),
            "banks": lambda: BankedBody(dim, net.width, net.depth, self.kernel),
        }
        return self._on_lattice(bodies["banks" if relaxation == "banks" else net.name](), values)

    def _plain(self, net: NetConfig, dim: int, values: int) -> nn.Module:
        """A process that sees coordinates, with about as many parameters as the equivariant one."""
        if net.name == "tnp":
            return TNP(dim, values, width=net.width, depth=net.depth, heads=_heads(net.width))

        def free(width: int) -> nn.Module:
            body = ConvBody(dim, width, net.depth, self.kernel, extras=dim)
            return WithCoordinates(self._on_lattice(body, values), scale=(self.box[1] - self.box[0]) / 2)

        return free(matched_width(free, parameter_count(self._exact(net, dim, values))))

    def _on_lattice(self, body: nn.Module, values: int) -> nn.Module:
        return ConvCNP(body, values, spacing=self.spacing, points=self.points)


def _task(method: str, data: Signature) -> tuple[int, int]:
    """Dimension of locations and number of values.

    Raises:
        ValueError: for data that are no tasks.
    """
    if data.moves != LOCATIONS or data.on_input is None or data.on_output is None:
        raise ValueError(
            f"method.name: got {method!r} for data of shape {tuple(data.in_shape)}, it takes tasks with a context, "
            "such as gibbs, or those of data.processes.task_dataset; take another method for other data"
        )
    return data.on_input.dim, data.on_output.features // 2


def _heads(width: int) -> int:
    return math.gcd(width, 4)
