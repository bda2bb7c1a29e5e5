"""The step that moves examples by one element after the other: what stays of outputs, predictions and accuracy.

Legend of axes: `B` examples, `M` elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Image, LabelMap
from learnsym.distributions import Quadrature
from learnsym.distributions._elements import names
from learnsym.distributions.draws import matching
from learnsym.measure._distance import Distance
from learnsym.measure._reader import Reader, reading
from learnsym.measure.moves import Moves, pairing, squared_distance
from learnsym.parts import examples
from learnsym.report.card.extent import extent, magnitudes_within
from learnsym.report.card.ranges import closes, reach_of
from learnsym.report.card.row import ACCURACY, AGREEMENT, ERROR_AT, EXTENT, Row
from learnsym.report.card.situation import Situation
from learnsym.report.card.targets import NO_LABEL
from learnsym.report.card.task import right
from learnsym.statistics import Estimate


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What became of each example under each of a few elements, `(M, B)`."""

    errors: tuple[Estimate, ...]
    floors: tuple[Estimate, ...]
    """The model's response to a round trip of its inputs, `g^-1·(g·x)`."""
    stays: Float[Tensor, "M B"] | None
    """Of a classifier, whether its prediction stays, of a map of labels for which share of the pixels."""
    right: Float[Tensor, "M B"] | None
    """Of a classifier with labels, whether its prediction is right; of examples that have one."""

    @property
    def departures(self) -> Float[Tensor, "M B"]:
        """Changed predictions; without classes the error beyond what interpolation makes."""
        if self.stays is not None:
            return 1 - self.stays
        return torch.stack([e.per_sample - f.per_sample for e, f in zip(self.errors, self.floors, strict=True)])


def along_generators(situation: Situation) -> Iterator[Row]:
    """Each generator by itself, from the identity outwards both ways, and how far the model stays symmetric."""
    group = situation.group
    for index, generator in enumerate(group.generators):
        reach = reach_of(group, index, situation.settings.ranges)
        magnitudes = magnitudes_within(reach)
        once = closes(group, index) and reach * generator.per_unit >= generator.cap * (1 - 1e-6)
        t = torch.cat([-magnitudes.flip(0)[once:], magnitudes.new_zeros(1), magnitudes])
        elements = group.exp(t[:, None] * generator.per_unit * torch.eye(group.dim, dtype=torch.float64)[index])
        moved = moved_by(situation, elements)
        if not situation.task.doubt:
            departures = torch.stack([moved.departures[(t.abs() - m).abs() < 1e-9].mean(0) for m in magnitudes])
            yield _limit(situation, index, magnitudes, departures)
        labels = [f"{value:.3g} {generator.unit}" for value in t.round(decimals=6).tolist()]
        yield from _rows(situation, moved, labels, generator.name)


def _limit(situation: Situation, index: int, magnitudes: Float[Tensor, "M"], departures: Float[Tensor, "M B"]) -> Row:
    """How far along a generator the model stays symmetric, of how far it was tried."""
    found = extent(magnitudes, departures, situation.settings.tolerance, situation.settings.seed)
    generator = situation.group.generators[index]
    return Row(
        symmetry=situation.name,
        site="output",
        measure=EXTENT,
        generator=generator.name,
        value=found.estimate,
        low=found.low,
        high=found.high,
        floor=float(magnitudes[-1]),
        unit=generator.unit,
    )


def at_elements(situation: Situation) -> Iterator[Row]:
    """Each element of a finite group that can be listed, or one of each connected component."""
    group = situation.group
    listed = Quadrature.components(group).elements if group.order in (None, len(group.components)) else ()
    if len(listed) > 1:
        yield from _rows(situation, moved_by(situation, listed), names(group), None)


def agreement(situation: Situation) -> Estimate:
    """The share of moves, drawn from all that are tried, under which predictions stay."""
    settings = situation.settings
    moves = Moves(situation.symmetry, settings.samples, situation.distribution, settings.seed)
    elements, x = moves.orbit(situation.x, identity=False), situation.x
    with reading(situation.model, x, situation.output, situation.batch_size) as read:
        outputs = read(x)
        moved = ((g, read.moved(situation.symmetry.on_input, g, x)) for g in elements)
        return Estimate.of(torch.stack([_same(situation, g, after, outputs) for g, after in moved]).mean(0))


def moved_by(situation: Situation, elements: Float[Tensor, "M n n"]) -> Moved:
    """What becomes of all examples under each element."""
    x, symmetry, task = situation.x, situation.symmetry, situation.task
    count, moving = examples(x), situation.moving
    partner = pairing(count, situation.settings.seed)
    rows: list[tuple[Tensor, Tensor, Tensor]] = []
    stays: list[Tensor] = []
    hits: list[Tensor] = []
    with reading(situation.model, x, situation.output, situation.batch_size) as read:
        outputs = read(x)
        for element in elements:
            g = matching(element, moving).expand(count, -1, -1)
            after, before = read.moved(symmetry.on_input, g, x), symmetry.on_output(g, outputs)
            floor = squared_distance(symmetry.on_output(g, _returned(read, situation, g)), before)
            rows.append((squared_distance(after, before), floor, squared_distance(before, before[partner])))
            if situation.gives_classes:
                stays.append(_same(situation, g, after, outputs))
            if task.is_classes and task.supervised and situation.is_invariance:
                hits.append(right(after[task.supervised.chosen], task.supervised.y))
    errors, floors, distances = (torch.stack(column) for column in zip(*rows, strict=True))
    distance = Distance.between(distances.mean(0), outputs, partner)
    return Moved(
        errors=tuple(map(distance.estimate, errors.sqrt())),
        floors=tuple(map(distance.estimate, floors.sqrt())),
        stays=torch.stack(stays) if stays else None,
        right=torch.stack(hits) if hits else None,
    )


def _returned(read: Reader, situation: Situation, g: Tensor) -> Tensor:
    move, inverse = situation.symmetry.on_input, situation.group.inverse
    return read.moved(lambda h, part: move(inverse(h), move(h, part)), g, situation.x)


def _same(situation: Situation, g: Tensor, after: Tensor, outputs: Tensor) -> Float[Tensor, "B"]:
    """Whether the best class of each example stays; of maps the share of pixels, without those from outside."""
    action = situation.symmetry.on_output
    if situation.is_invariance:
        return right(after, outputs.argmax(1))
    if isinstance(action, Image):
        return right(after, LabelMap(fill=NO_LABEL)(g, outputs.argmax(1)))
    if isinstance(action, LabelMap):
        before = action(g, outputs)
        inside = (before != NO_LABEL).double().reshape(len(g), -1)
        return ((after == before).reshape(len(g), -1) * inside).sum(1) / inside.sum(1).clamp(min=1)
    return right(after, action(g, outputs).argmax(1))


def _rows(situation: Situation, moved: Moved, labels: list[str], generator: str | None) -> Iterator[Row]:
    for k, label in enumerate(labels):
        error, floor = moved.errors[k], moved.floors[k]
        about = {"generator": generator, "element": label}
        unit = "distance between examples"
        yield situation.row(ERROR_AT, error, relative=error.mean, floor=floor.mean, unit=unit, **about)
        if moved.stays is not None:
            yield situation.row(AGREEMENT, Estimate.of(moved.stays[k]), unit="share", **about)
        if moved.right is not None:
            yield situation.row(ACCURACY, Estimate.of(moved.right[k]), unit="share", **about)
