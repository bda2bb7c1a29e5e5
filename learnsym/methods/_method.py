"""What a method is: a published combination of a place where the degree of symmetry lives and its twins."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from torch import nn

from learnsym._settings import usual
from learnsym.data import Dataset, Signature
from learnsym.distributions import GroupDistribution
from learnsym.groups import Group
from learnsym.nets import NetConfig
from learnsym.objectives import Batch, LossConfig, Objective
from learnsym.objectives.choosers import Chooser, TrainingLoss
from learnsym.objectives.choosers import registry as choosers
from learnsym.symmetry import Symmetry, symmetry_by_name

Place = Literal["data", "weights", "loss"]
Twin = Literal["learned", "plain", "fixed", "exact"]


def learns(twin: str) -> bool:
    """Whether a twin learns how much symmetry holds; all others are given it."""
    return twin == "learned"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a method is applied to: network, loss, data, and which twin with which chooser.

    Args:
        net: which network, and how large.
        data: what a network must know of the data.
        loss: on the targets.
        twin: `learned`, `plain`, `fixed` or `exact`.
        chooser: of the degree of the learned twin.
        examples: number of training examples.
        held_out: inputs and targets by which a chooser may judge; None where nothing is trained.
        steps: of the training in all.
    """

    net: NetConfig
    data: Signature
    loss: LossConfig = field(default_factory=LossConfig)
    twin: Twin = "learned"
    chooser: Chooser = field(default_factory=TrainingLoss)
    examples: int = 1
    held_out: Batch | None = None
    steps: int = 1

    def chosen(self, objective: Objective) -> Objective:
        """What is minimised under the chooser, from the loss with the terms of all learners."""
        return self.chooser.over(objective, self.held_out, self.steps, self.examples)


@dataclass(frozen=True, kw_only=True)
class Method(abc.ABC):
    """A published way to learn symmetry: its settings, its twins, what is minimised, and what the result is tested for.

    A subclass in a file of its own in `learnsym/methods/` is found by its `name`; nothing else has to know of it.
    """

    name: str = ""
    """Method; `learnsym train --method.name NAME --help` shows the settings of another one."""

    title: ClassVar[str]
    """A row of the table of methods."""
    place: ClassVar[Place]
    """Where the degree of symmetry lives."""
    papers: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Authors with year, and arXiv id."""
    nets: ClassVar[tuple[str, ...]]
    """Networks that it takes, by their names in `NetConfig`; your own ones, too, see `takes_any_net`."""
    twins: ClassVar[tuple[Twin, ...]]
    """Twins that it has."""
    choosers: ClassVar[tuple[str, ...]]
    """Choosers that it works with, by their names; the first one is taken where none is named."""
    losses: ClassVar[tuple[str, ...]] = ("cross_entropy", "mse")
    """Losses that it takes."""
    takes_weights: ClassVar[bool] = False
    """Whether layers that it chooses may begin with the weights of a file, those of another run of it."""
    compiles: ClassVar[bool] = True
    """Whether its training calls the model as a whole, which is what torch.compile compiles."""

    @classmethod
    def takes_any_net(cls) -> bool:
        """Whether it works with networks and weights of your own: not where it chooses the layers itself."""
        return cls.place != "weights"

    @abc.abstractmethod
    def model(self, setup: Setup) -> nn.Module:
        """The model of a twin, with fresh weights."""

    @abc.abstractmethod
    def objective(self, setup: Setup, model: nn.Module) -> Objective:
        """What the training of a twin minimises."""

    @abc.abstractmethod
    def tested(self, data: Signature) -> Symmetry:
        """The symmetry that a page measures of the trained twins."""

    def before_scores(self, model: nn.Module, train: Dataset) -> None:
        """Fit what the objective leaves out, such as a probe, to training examples, each time before a model is scored.

        Nothing, for most methods.
        """
        return None

    def usual_chooser(self) -> Chooser:
        """The chooser of the degree where none is named."""
        return choosers[self.choosers[0]]()

    def law(self, data: Signature) -> GroupDistribution | None:
        """The law of the elements that are tested; None for the uniform one of a compact group."""
        return None

    def moved(self, data: Signature) -> Symmetry | None:
        """By what laws of poses ask how far inputs are moved; None for inputs that are no images."""
        return symmetry_by_name("affine2d") if data.on_input is None and not data.on_sphere else None

    def at_width(self, generator: str, width: float) -> Method | None:
        """The method whose fixed twin has one half-width, in the generator's unit; None where no twin has widths."""
        return None

    def varied(self) -> Group | None:
        """The group whose generators `at_width` takes; None where no twin has widths."""
        return None

    def unused(self, chooser: Chooser) -> tuple[str, ...]:
        """Settings that a chooser makes no use of, which must stay at their defaults."""
        return ()

    def choosers_that_use(self, setting: str) -> list[str]:
        """Names of the choosers that make use of a setting."""
        return [name for name in self.choosers if setting not in self.unused(choosers[name]())]

    def note(self) -> str:
        """The method in a sentence, for pages."""
        return f"Method: {self.title} ({cited(self.papers)})."

    def check(self, net: NetConfig, loss: LossConfig, twins: Sequence[str], chooser: Chooser) -> None:
        """Refuse what does not fit together, before any work starts.

        Raises:
            ValueError: one sentence that names both and what works.
        """
        self._check_net(net)
        for key, value, known in (
            ("loss.name", loss.name, self.losses),
            *(("twins", twin, self.twins) for twin in twins),
        ):
            if value not in known:
                raise ValueError(f"{key}: got {value!r} with the method {self.name}, must be one of {', '.join(known)}")
        learned = any(map(learns, twins))
        unused = self.unused(chooser) if learned else ()
        if learned and chooser.name not in self.choosers:
            raise ValueError(
                f"chooser.name: got {chooser.name!r} with the method {self.name}, whose degree lives in the "
                f"{self.place}; {self.name} works with {', '.join(self.choosers)}, and {chooser.name} with the methods "
                f"{', '.join(sorted(_named(chooser.name)))}"
            )
        for name in unused:
            if getattr(self, name) != getattr(usual(type(self)), name):
                raise ValueError(
                    f"method.{name}: got {getattr(self, name)!r}, which the chooser {chooser.name} does not use; leave "
                    f"it out, or take chooser.name {' or '.join(self.choosers_that_use(name))}"
                )

    def _check_net(self, net: NetConfig) -> None:
        """Refuse a network of which the method cannot choose the layers, and weights for layers that it chooses."""
        if net.source is None and net.name not in self.nets:
            raise ValueError(
                f"net.name: got {net.name!r} with the method {self.name}, must be one of {', '.join(self.nets)}"
            )
        if self.takes_any_net() or (net.source is None and (net.weights is None or self.takes_weights)):
            return
        key, value = ("net.weights", net.weights) if net.source is None else ("net.name", net.name)
        others = sorted(kind.name for kind in _kinds(Method) if kind.takes_any_net())
        raise ValueError(
            f"{key}: got {value} with the method {self.name}, which chooses the layers of the network itself "
            f"({', '.join(self.nets)}); take one of the methods {', '.join(others)}, which work with any network"
        )


def _kinds(kind: type[Method]) -> set[type[Method]]:
    """The methods of a kind that have a name."""
    below = {each for subclass in kind.__subclasses__() for each in _kinds(subclass)}
    return below | ({kind} if kind.name else set())


def _named(chooser: str) -> set[str]:
    """Names of the methods that work with a chooser."""
    return {kind.name for kind in _kinds(Method) if chooser in kind.choosers}


def cited(papers: Sequence[tuple[str, str]]) -> str:
    """Papers in one line: authors, year and arXiv id."""
    return "; ".join(f"{authors}, arXiv {number}" if number else authors for authors, number in papers) or "learnsym"
