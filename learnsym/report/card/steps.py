"""What is measured for a symmetry card: each step gives rows, or none where it does not apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from learnsym import measure
from learnsym.actions import Image, Invariant
from learnsym.distributions import GroupDistribution, LieBox
from learnsym.groups import Group
from learnsym.measure import Quadrature
from learnsym.measure._probe import Output
from learnsym.measure._reader import outputs_of
from learnsym.report.card.row import Row
from learnsym.report.card.settings import CardSettings
from learnsym.statistics import Estimate
from learnsym.symmetry import Symmetry

PART_OF_CAP = 0.25
"""Where a group is not compact, the elements that are tried lie within this part of each generator's cap."""


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


def equivariance_error(situation: Situation) -> Iterator[Row]:
    """Over the whole group, with what interpolation makes."""
    settings = (situation.settings.samples, situation.distribution, situation.settings.seed)
    error = measure.equivariance_error(
        situation.model,
        situation.x,
        situation.symmetry,
        *settings,
        output=situation.output,
        batch_size=situation.batch_size,
    )
    floor = measure.interpolation_floor(situation.x, situation.symmetry, *settings)
    unit = "distance between examples"
    yield situation.row("equivariance error", error, relative=error.mean, floor=floor.mean, unit=unit)


def exactness(situation: Situation) -> Iterator[Row]:
    """Whether the error exceeds what interpolation does to the model's outputs."""
    test = measure.exactness_test(
        situation.model,
        situation.x,
        situation.symmetry,
        situation.settings.samples,
        situation.distribution,
        situation.settings.seed,
        output=situation.output,
        batch_size=situation.batch_size,
    )
    yield Row(
        symmetry=situation.name, site="output", measure="exact up to interpolation", value=test.p_value, unit="p-value"
    )


def twirl(situation: Situation) -> Iterator[Row]:
    """Per cent of the loss that is due to imperfect symmetry."""
    loss = _loss(situation)
    if loss is None or situation.y is None:
        return
    share = measure.twirl(
        situation.model,
        situation.x,
        situation.y,
        situation.symmetry,
        loss,
        situation.settings.samples,
        situation.distribution,
        situation.settings.seed,
        output=situation.output,
        batch_size=situation.batch_size,
    )
    yield situation.row("loss due to imperfect symmetry", share.percent, unit="%")


def predictions(situation: Situation) -> Iterator[Row]:
    """Whether the answers of a classifier stay the same; nothing for other models."""
    if not _is_classifier(situation):
        return
    agreement = measure.effective_invariance(
        situation.model,
        situation.x,
        situation.symmetry,
        situation.settings.samples,
        situation.distribution,
        situation.settings.seed,
        output=situation.output,
        batch_size=situation.batch_size,
    )
    yield situation.row("agreement of predictions", agreement.agreement)
    yield situation.row("effective invariance", agreement.effective_invariance)
    yield situation.row("Jensen-Shannon divergence", agreement.divergence, unit="bit")


def local_error(situation: Situation) -> Iterator[Row]:
    """The derivative along each generator."""
    if not situation.group.dim:
        return
    local = measure.local_equivariance_error(
        situation.model,
        situation.x,
        situation.symmetry,
        derivative=situation.settings.derivative,
        output=situation.output,
        batch_size=situation.batch_size,
        seed=situation.settings.seed,
    )
    for row in local.rows:
        yield Row(
            symmetry=situation.name,
            site="output",
            measure=f"local equivariance error ({situation.settings.derivative})",
            generator=row.generator,
            value=row.lee.mean**0.5,
            relative=row.relative.mean,
            stderr=row.relative.stderr,
            unit=f"per {row.unit}",
        )


def error_curves(situation: Situation) -> Iterator[Row]:
    """The error at each of a few elements."""
    for about, at in _curves(situation.group):
        curve = measure.error_curve(
            situation.model,
            situation.x,
            situation.symmetry,
            at,
            situation.settings.seed,
            output=situation.output,
            batch_size=situation.batch_size,
        )
        labels = at.labels if about is None else [f"{t:.3g} {at.unit}" for t in at.coordinates.round(decimals=6)]
        for label, error, floor in zip(labels, curve.errors, curve.floors, strict=True):
            yield situation.row(
                "error at an element",
                error,
                generator=about,
                element=label,
                relative=error.mean,
                floor=floor.mean,
                unit="distance between examples",
            )


def contributions(situation: Situation) -> Iterator[Row]:
    """Which modules and functions the local error comes from."""
    if not (situation.settings.layers and situation.acts_on_images):
        return
    for generator in situation.group.generators:
        attribution = measure.attribute(
            situation.model,
            situation.layer_x,
            situation.symmetry,
            generator.name,
            derivative=situation.settings.derivative,
            output=situation.output,
            batch_size=min(situation.batch_size, 8),
            seed=situation.settings.seed,
        )
        row = partial(Row, symmetry=situation.name, generator=generator.name, measure="contribution to the local error")
        scale, unit = float(attribution.total.per_sample.square().mean()), f"squared, per {attribution.unit}"
        for part in attribution.rows:
            yield row(
                site=f"layer:{part.site}",
                value=part.share.mean * scale,
                relative=part.share.mean,
                stderr=part.share.stderr,
                unit=unit,
            )
        yield row(
            site="unattributed", value=attribution.unattributed * scale, relative=attribution.unattributed, unit=unit
        )


def layer_scores(situation: Situation) -> Iterator[Row]:
    """Correlations of features with moved features."""
    elements = _layer_elements(situation)
    if elements is None or not situation.settings.layers:
        return
    measured = measure.layer_scores(
        situation.model,
        situation.layer_x,
        situation.symmetry,
        elements,
        seed=situation.settings.seed,
        batch_size=min(situation.batch_size, 16),
    )
    for layer, score in measured.scores.items():
        for name in ("equivariance", "invariance"):
            unit = "correlation, 0 chance and 1 exact"
            yield situation.row(f"layer {name}", getattr(score, name), site=f"layer:{layer}", floor=0.0, unit=unit)


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


def reach_of(situation: Situation) -> str | None:
    """A sentence on how far elements were tried; None for a compact group, which is tried as a whole."""
    if situation.group.is_compact:
        return None
    widths = [f"{g.name} ±{PART_OF_CAP * g.cap / g.per_unit:.3g} {g.unit}" for g in situation.group.generators]
    return f"{situation.name} is not compact; elements were tried with {', '.join(widths)}."


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


def _layer_elements(situation: Situation) -> Tensor | None:
    """What moves pixels onto pixels: finite elements, quarter turns, or shifts by an eighth of the image."""
    if not situation.acts_on_images:
        return None
    if situation.group.order is not None:
        return situation.group.components[1:]
    names = [generator.name for generator in situation.group.generators]
    if names == ["translation_x", "translation_y"]:
        step = max(1, min(situation.x.shape[-2:]) // 8)
        return measure.pixel_shifts(situation.x, [(step, 0), (0, step)])
    if names == ["rotation"]:
        return situation.group.exp(torch.tensor([[torch.pi / 2], [torch.pi], [-torch.pi / 2]]))
    return None


def _outputs(situation: Situation) -> Tensor:
    return outputs_of(situation.model, situation.x[:2], situation.output, situation.batch_size)


def _is_classifier(situation: Situation) -> bool:
    outputs = _outputs(situation)
    return isinstance(situation.symmetry.on_output, Invariant) and outputs.ndim == 2 and outputs.shape[1] > 1


def _loss(situation: Situation) -> Literal["mse", "cross_entropy"] | None:
    """The loss that outputs and targets suggest."""
    if situation.y is None:
        return None
    outputs = _outputs(situation)
    if not situation.y.is_floating_point():
        fits = outputs.ndim == situation.y.ndim + 1 and int(situation.y.max()) < outputs.shape[1]
        return "cross_entropy" if fits else None
    return "mse" if outputs.shape == situation.y[:2].shape else None
