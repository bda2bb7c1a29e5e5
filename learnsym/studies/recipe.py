"""Twins of a network of your own: the same network, alone or averaged over transformed inputs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from learnsym._python_file import required_inputs
from learnsym.augment import Augmented, Hypotheses, OrbitAveraged, Plain, averages, fixed, laws, quadrature
from learnsym.data import Dataset
from learnsym.distributions import Fixed, Haar, LearnableDistribution, learnable
from learnsym.groups import MatrixGroup, compact_part
from learnsym.methods import learns
from learnsym.methods.augerino import Augerino
from learnsym.nets import NetConfig, build
from learnsym.nets.sources import SeveralInputs
from learnsym.objectives import Objective, Regularised, SuccessiveHalving, Supervised, regularisers
from learnsym.objectives.choosers import registry as choosers
from learnsym.objectives.choosers.selection import FEWEST
from learnsym.objectives.losses import LossConfig
from learnsym.objectives.terms import Reward
from learnsym.studies.examples import in_memory
from learnsym.studies.settings import TwinSettings
from learnsym.symmetry import Symmetry, parts_of

EXACT = "exact"
Net = nn.Module | Callable[[], nn.Module] | str
"""A module, a function that makes one, or a network in words, such as `cnn` or `FILE.py:factory`."""


@dataclass(frozen=True)
class Recipe:
    """How the twins of a study are made.

    Args:
        net: the network; of a module each twin and seed takes a copy.
        symmetry: that the learned twin learns.
        exact: the compact part of it, None where there is none.
        in_shape: shape of one example.
        outputs: numbers that the network returns for one.
        loss: on the targets.
        settings: of the study.
    """

    net: Net
    symmetry: Symmetry
    exact: Symmetry | None
    in_shape: tuple[int, ...]
    outputs: int
    loss: LossConfig
    settings: TwinSettings

    def trained(self, twin: str, seed: int) -> nn.Module:
        """The module that is trained, with the initial weights that all twins of a seed share."""
        net, method = self.network(seed), self.settings.method
        twins: dict[str, Callable[[], nn.Module]] = {
            "plain": lambda: Plain(net),
            "learned": lambda: self._learned(net),
            "fixed": lambda: self._augmented(net, self.symmetry, fixed(self.symmetry.group, method.fixed)),
            EXACT: lambda: self._augmented(net, self._exact, Fixed(Haar(self._exact.group))),
        }
        return twins[twin]()

    def evaluated(self, twin: str, trained: nn.Module) -> nn.Module:
        """The module that is measured, exported and used: the exact twin is averaged over a whole orbit."""
        if twin != EXACT:
            return trained.eval()
        net = trained.get_submodule("net")
        elements = quadrature(self._exact.group, self.settings.orbit).to(next(trained.parameters()).device)
        return OrbitAveraged(net, self._exact, elements, average=averages[self.settings.method.average]).eval()

    def objective(self, twin: str, train: Dataset, val: Dataset, steps: int) -> Objective:
        """What the training of a twin minimises, in so many steps; a chooser may look at examples."""
        task, method = Supervised(self.loss.function()), self.settings.method
        choosers: dict[str, Callable[[], Objective]] = {
            "training": lambda: Regularised(task, [Reward(regularisers[method.regulariser], method.weight)]),
            "selection": lambda: self._selection(in_memory(self._judges(train, val)), steps),
        }
        return choosers[self.settings.chooser]() if learns(twin) else task

    def check_val(self, examples: int) -> None:
        """Refuse too few validation examples for the chooser."""
        least = {"training": 0, "selection": 0 if self.settings.borrow else FEWEST}[self.settings.chooser]
        if any(map(learns, self.settings.twins)) and examples < least:
            raise ValueError(
                f"val: got {examples} examples, must be at least {least} for the chooser {self.settings.chooser}; give "
                "more, let a quarter of the training examples choose with borrow=0.25, or take the chooser training"
            )

    def steps(self, twin: str, train: Dataset, val: Dataset) -> int:
        """Steps of a twin on these examples: those of the learned one, or as many as cost the same."""
        steps = self.settings.steps_for(len(train))
        if learns(twin):
            return steps
        copies = {"plain": self.settings.method.copies}.get(twin, 1)  # the others have as many as the learned one
        return round(steps * copies * self._trainings(steps, train, val))

    def _trainings(self, steps: int, train: Dataset, val: Dataset) -> float:
        """The cost of a step of the learned twin, in steps of one network; 1 where none learns."""
        if self.settings.chooser != "selection" or not any(map(learns, self.settings.twins)):
            return 1.0
        hypotheses, batch = 1 + len(laws(self.symmetry.group)), self.settings.size_for(len(train))
        objective = self._selection(self._judges(train, val), steps)
        return objective.trainings(hypotheses, batch, self.settings.method.test_copies)

    def _judges(self, train: Dataset, val: Dataset) -> Dataset:
        """The examples that choose among hypotheses."""
        return train if self.settings.borrow else val

    def _selection(self, judges: Dataset, steps: int) -> SuccessiveHalving:
        held_out, borrow = (judges.inputs, judges.y), self.settings.borrow
        return SuccessiveHalving(Supervised(self.loss.function()), held_out, steps=steps, borrow=borrow)

    def network(self, seed: int) -> nn.Module:
        """The network with its initial weights: a copy of a module, or what a function makes with a seed."""
        net = copy.deepcopy(self.net) if isinstance(self.net, nn.Module) else self._made(self.net, seed)
        apart = self.symmetry.on_input.part.key and len(required_inputs(net.forward)) > 1
        return SeveralInputs(net) if apart else net

    def _made(self, net: Callable[[], nn.Module] | str, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = self._built(net) if isinstance(net, str) else net()
        if not isinstance(made, nn.Module):
            raise ValueError(f"net: the function returns a {type(made).__name__}, must return a module; return one")
        return made

    def _built(self, word: str) -> nn.Module:
        return build(NetConfig(name=word), self.in_shape, self.outputs, moves=self.symmetry.on_input.part.key)

    @property
    def _exact(self) -> Symmetry:
        assert self.exact is not None  # since there is such a twin
        return self.exact

    def _learned(self, net: nn.Module) -> nn.Module:
        law = learnable(self.symmetry.group, self.settings.method.init)
        choosers: dict[str, Callable[[], nn.Module]] = {
            "training": lambda: self._augmented(net, self.symmetry, law),
            "selection": lambda: Hypotheses(net, self.symmetry, **self._averaging),
        }
        return choosers[self.settings.chooser]()

    def _augmented(self, net: nn.Module, symmetry: Symmetry, law: LearnableDistribution) -> Augmented:
        return Augmented(net, symmetry, law, **self._averaging)

    @property
    def _averaging(self) -> dict[str, Any]:
        method = self.settings.method
        return {"copies": method.copies, "test_copies": method.test_copies, "average": averages[method.average]}


def exact_part(symmetry: Symmetry) -> Symmetry | None:
    """The symmetry under the largest compact group that acts by itself; None where there is none.

    Example:
        >>> from learnsym.studies.recipe import exact_part
        >>> exact_part(ls.as_symmetry(["rotation2d", "flip2d", "scale2d", "colour"])).group
        O(2)
    """
    for group, action in parts_of(symmetry.of_tensors):
        assert isinstance(group, MatrixGroup)
        part = compact_part(group)
        if part is not None:
            return Symmetry(part, action, symmetry.on_output).at(input=symmetry.on_input.part.key)
    return None


def check_method(method: Augerino, chooser: str) -> None:
    """Refuse settings of the method that a study sets itself, or that the chooser makes no use of.

    Raises:
        ValueError: naming the setting, and what to give instead.
    """
    usual = Augerino()
    for name, instead in (("symmetry", "symmetries"), ("exact", "symmetries"), ("orbit", "orbit"), ("output", "net")):
        if getattr(method, name) != getattr(usual, name):
            raise ValueError(f"method.{name}: got {getattr(method, name)!r}, must be left out; a study takes {instead}")
    for name in method.unused(choosers[chooser]()):
        if getattr(method, name) != getattr(usual, name):
            raise ValueError(
                f"method.{name}: got {getattr(method, name)!r}, which the chooser {chooser} does not use; leave it "
                "out, or take the chooser training"
            )
