"""What is measured for a symmetry card: each step gives rows, or none where it does not apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from learnsym import measure
from learnsym._modes import evaluating
from learnsym.actions import Image, Invariant
from learnsym.distributions import GroupDistribution, LieBox
from learnsym.groups import Group
from learnsym.measure import Quadrature
from learnsym.measure._probe import Output, outputs_of
from learnsym.report.card.row import Row
from learnsym.report.card.settings import CardSettings
from learnsym.statistics import Estimate
from learnsym.symmetry import Symmetry

PART_OF_CAP = 0.25
"""Of a group that is not compact, elements within this part of each generator's cap are tried."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One model, its examples and one symmetry."""

    model: nn.Module
    x: Tensor
    y: Tensor | None
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
        """None, for the Haar measure, or a box on a group that is not compact."""
        if self.group.is_compact:
            return None
        return LieBox(self.group, torch.tensor([PART_OF_CAP * g.cap for g in self.group.generators]))

    @property
    def acts_on_images(self) -> bool:
        """Whether pixels are what moves."""
        return isinstance(self.symmetry.on_input, Image)

    @property
    def layer_x(self) -> Tensor:
        """Examples for measures of layers."""
        return self.x[: self.settings.layer_examples]

    def row(self, measured: str, estimate: Estimate, **about: object) -> Row:
        """A row with an estimate as its value."""
        values = {"site": "output", "value": estimate.mean, "stderr": estimate.stderr, **about}
        return Row(symmetry=self.name, measure=measured, **values)  # type: ignore[arg-type]


def equivariance_error(it: Situation) -> Iterator[Row]:
    """Over the whole group, with what interpolation makes."""
    settings = (it.settings.samples, it.distribution, it.settings.seed)
    found = measure.equivariance_error(
        it.model, it.x, it.symmetry, *settings, output=it.output, batch_size=it.batch_size
    )
    floor = measure.interpolation_floor(it.x, it.symmetry, *settings)
    unit = "distance between examples"
    yield it.row("equivariance error", found, relative=found.mean, floor=floor.mean, unit=unit)


def exactness(it: Situation) -> Iterator[Row]:
    """Whether the error exceeds what interpolation does to the model's outputs."""
    found = measure.exactness_test(
        it.model,
        it.x,
        it.symmetry,
        it.settings.samples,
        it.distribution,
        it.settings.seed,
        output=it.output,
        batch_size=it.batch_size,
    )
    yield Row(symmetry=it.name, site="output", measure="exact up to interpolation", value=found.p_value, unit="p-value")


def twirl(it: Situation) -> Iterator[Row]:
    """Per cent of the loss that is due to imperfect symmetry."""
    loss = _loss(it)
    if loss is None or it.y is None:
        return
    found = measure.twirl(
        it.model,
        it.x,
        it.y,
        it.symmetry,
        loss,
        it.settings.samples,
        it.distribution,
        it.settings.seed,
        output=it.output,
        batch_size=it.batch_size,
    )
    yield it.row("loss due to imperfect symmetry", found.percent, unit="%")


def predictions(it: Situation) -> Iterator[Row]:
    """Of a classifier: whether its answers stay."""
    if not _is_classifier(it):
        return
    found = measure.effective_invariance(
        it.model,
        it.x,
        it.symmetry,
        it.settings.samples,
        it.distribution,
        it.settings.seed,
        output=it.output,
        batch_size=it.batch_size,
    )
    yield it.row("agreement of predictions", found.agreement)
    yield it.row("effective invariance", found.effective_invariance)
    yield it.row("Jensen-Shannon divergence", found.divergence, unit="bit")


def local_error(it: Situation) -> Iterator[Row]:
    """The derivative along each generator."""
    if not it.group.dim:
        return
    found = measure.local_equivariance_error(
        it.model,
        it.x,
        it.symmetry,
        derivative=it.settings.derivative,
        output=it.output,
        batch_size=it.batch_size,
        seed=it.settings.seed,
    )
    for row in found.rows:
        yield Row(
            symmetry=it.name,
            site="output",
            measure=f"local equivariance error ({it.settings.derivative})",
            generator=row.generator,
            value=row.lee.mean**0.5,
            relative=row.relative.mean,
            stderr=row.relative.stderr,
            unit=f"per {row.unit}",
        )


def error_curves(it: Situation) -> Iterator[Row]:
    """The error at each of a few elements."""
    for about, at in _curves(it.group):
        found = measure.error_curve(
            it.model, it.x, it.symmetry, at, it.settings.seed, output=it.output, batch_size=it.batch_size
        )
        labels = at.labels if about is None else [f"{t:.3g} {at.unit}" for t in at.coordinates.round(decimals=6)]
        for label, error, floor in zip(labels, found.errors, found.floors, strict=True):
            yield it.row(
                "error at an element",
                error,
                generator=about,
                element=label,
                relative=error.mean,
                floor=floor.mean,
                unit="distance between examples",
            )


def contributions(it: Situation) -> Iterator[Row]:
    """Which modules and functions the local error comes from."""
    if not (it.settings.layers and it.acts_on_images):
        return
    for generator in it.group.generators:
        found = measure.attribute(
            it.model,
            it.layer_x,
            it.symmetry,
            generator.name,
            derivative=it.settings.derivative,
            output=it.output,
            batch_size=min(it.batch_size, 8),
            seed=it.settings.seed,
        )
        row = partial(Row, symmetry=it.name, generator=generator.name, measure="contribution to the local error")
        scale, unit = float(found.total.per_sample.square().mean()), f"squared, per {found.unit}"
        for one in found.rows:
            share = one.share
            yield row(
                site=f"layer:{one.site}",
                value=share.mean * scale,
                relative=share.mean,
                stderr=share.stderr,
                unit=unit,
            )
        yield row(site="unattributed", value=found.unattributed * scale, relative=found.unattributed, unit=unit)


def layer_scores(it: Situation) -> Iterator[Row]:
    """Correlations of features with moved features."""
    elements = _layer_elements(it)
    if elements is None or not it.settings.layers:
        return
    found = measure.layer_scores(
        it.model, it.layer_x, it.symmetry, elements, seed=it.settings.seed, batch_size=min(it.batch_size, 16)
    )
    for layer, score in found.scores.items():
        for name in ("equivariance", "invariance"):
            unit = "correlation, 0 chance and 1 exact"
            yield it.row(f"layer {name}", getattr(score, name), site=f"layer:{layer}", floor=0.0, unit=unit)


STEPS: dict[str, Callable[[Situation], Iterator[Row]]] = {
    "equivariance error": equivariance_error,
    "exactness": exactness,
    "loss": twirl,
    "predictions": predictions,
    "local error": local_error,
    "error curves": error_curves,
    "contributions of layers": contributions,
    "scores of layers": layer_scores,
}


def reach_of(it: Situation) -> str | None:
    """Of a group that is not compact: in words, how far elements were tried."""
    if it.group.is_compact:
        return None
    widths = [f"{g.name} ±{PART_OF_CAP * g.cap / g.per_unit:.3g} {g.unit}" for g in it.group.generators]
    return f"{it.name} is not compact; elements were tried with {', '.join(widths)}."


def _curves(group: Group) -> Iterator[tuple[str | None, Quadrature]]:
    if group.order is not None:
        if group.order == len(group.components):
            yield None, Quadrature.components(group)
        return
    for generator in group.generators:
        closes = group.is_compact
        half_width = None if closes else PART_OF_CAP * generator.cap / generator.per_unit
        yield generator.name, Quadrature.along(group, generator.name, 12 if closes else 5, half_width)
    if len(group.components) > 1:
        yield None, Quadrature.components(group)


def _layer_elements(it: Situation) -> Tensor | None:
    """What moves pixels onto pixels: finite elements, quarter turns, or shifts by an eighth of the image."""
    if not it.acts_on_images:
        return None
    if it.group.order is not None:
        return it.group.components[1:]
    names = [generator.name for generator in it.group.generators]
    if names == ["translation_x", "translation_y"]:
        step = max(1, min(it.x.shape[-2:]) // 8)
        return measure.pixel_shifts(it.x, [(step, 0), (0, step)])
    if names == ["rotation"]:
        return it.group.exp(torch.tensor([[torch.pi / 2], [torch.pi], [-torch.pi / 2]]))
    return None


def _outputs(it: Situation) -> Tensor:
    with evaluating(it.model):
        return outputs_of(it.model, it.x[:2], it.output, it.batch_size)


def _is_classifier(it: Situation) -> bool:
    outputs = _outputs(it)
    return isinstance(it.symmetry.on_output, Invariant) and outputs.ndim == 2 and outputs.shape[1] > 1


def _loss(it: Situation) -> Literal["mse", "cross_entropy"] | None:
    """The loss that outputs and targets suggest."""
    if it.y is None:
        return None
    outputs = _outputs(it)
    if not it.y.is_floating_point():
        fits = outputs.ndim == it.y.ndim + 1 and int(it.y.max()) < outputs.shape[1]
        return "cross_entropy" if fits else None
    return "mse" if outputs.shape == it.y[:2].shape else None
