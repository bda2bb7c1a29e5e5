"""Situation: one model, its examples and one symmetry, as every step of a card sees them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from learnsym.actions import Image, Invariant, LabelMap
from learnsym.distributions import GroupDistribution
from learnsym.groups import Group
from learnsym.measure._probe import Output
from learnsym.parts import Whole, chosen
from learnsym.report.card.ranges import distribution_within
from learnsym.report.card.row import Row
from learnsym.report.card.settings import CardSettings
from learnsym.report.card.task import Task
from learnsym.statistics import Estimate
from learnsym.symmetry import Symmetry


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One model, its examples and one symmetry."""

    model: nn.Module
    x: Whole
    y: Tensor | None
    outputs: Tensor
    """Of the model on `x`."""
    task: Task
    """What the outputs are for, and how well they serve."""
    name: str
    symmetry: Symmetry
    settings: CardSettings
    batch_size: int
    output: Output | None = None

    @property
    def group(self) -> Group:
        """The group of the symmetry."""
        return self.symmetry.group

    @property
    def distribution(self) -> GroupDistribution | None:
        """Of the elements that are tried; None for the Haar measure."""
        return distribution_within(self.group, self.settings.ranges)

    @property
    def acts_on_images(self) -> bool:
        """Whether pixels are what moves."""
        return isinstance(self.symmetry.on_input.within, Image)

    @property
    def is_invariance(self) -> bool:
        """Whether outputs should stay."""
        return isinstance(self.symmetry.on_output, Invariant)

    @property
    def gives_classes(self) -> bool:
        """Whether outputs are scores of classes, or the classes themselves."""
        return self.task.is_classes or isinstance(self.symmetry.on_output, LabelMap)

    @property
    def moving(self) -> Tensor:
        """What moves of the inputs."""
        return self.symmetry.moving(self.x)

    @property
    def layer_x(self) -> Whole:
        """Examples for measures of layers."""
        return chosen(self.x, slice(0, self.settings.layer_examples))

    def row(self, measured: str, estimate: Estimate, **about: object) -> Row:
        """A row with an estimate as its value."""
        values = {"site": "output", "value": estimate.mean, "stderr": estimate.stderr, **about}
        return Row(symmetry=self.name, measure=measured, **values)  # type: ignore[arg-type]
