"""What is measured for a symmetry card: each step gives rows, or none where it does not apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from learnsym import measure
from learnsym.parts import chosen
from learnsym.report.card.along import agreement, along_generators, at_elements
from learnsym.report.card.row import AGREEMENT, ERROR, EXACT, LOSS, Row
from learnsym.report.card.situation import Situation
from learnsym.statistics import Estimate


def equivariance_error(situation: Situation) -> Iterator[Row]:
    """Over all elements that are tried, beside the model's response to interpolation, and whether it exceeds that."""
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
    error, unit = test.error, "distance between examples"
    of_examples = tuple(error.linear.tolist())
    yield situation.row(ERROR, error, relative=error.mean, floor=test.floor.mean, unit=unit, per_example=of_examples)
    if not situation.task.doubt:
        yield Row(symmetry=situation.name, site="output", measure=EXACT, value=test.p_value, unit="p-value")


def twirl(situation: Situation) -> Iterator[Row]:
    """Per cent of the loss that is due to imperfect symmetry; nothing for a model that has learned nothing."""
    supervised = situation.task.supervised
    if supervised is None or situation.task.doubt:
        return
    share = measure.twirl(
        situation.model,
        chosen(situation.x, supervised.chosen),
        supervised.y,
        situation.symmetry,
        supervised.loss,
        situation.settings.samples,
        situation.distribution,
        situation.settings.seed,
        output=situation.output,
        batch_size=situation.batch_size,
    )
    yield situation.row(LOSS, share.percent, unit="%")


def predictions(situation: Situation) -> Iterator[Row]:
    """Whether predicted classes stay; nothing for models that give none."""
    if not situation.gives_classes:
        return
    if not situation.is_invariance:
        yield _agreement_row(situation, agreement(situation))
        return
    found = measure.effective_invariance(
        situation.model,
        situation.x,
        situation.symmetry,
        situation.settings.samples,
        situation.distribution,
        situation.settings.seed,
        output=situation.output,
        batch_size=situation.batch_size,
    )
    yield _agreement_row(situation, found.agreement)
    yield situation.row("effective invariance", found.effective_invariance)
    yield situation.row("Jensen-Shannon divergence", found.divergence, unit="bit")


def _agreement_row(situation: Situation, stays: Estimate) -> Row:
    return situation.row(AGREEMENT, stays, unit="share", per_example=tuple(stays.per_sample.tolist()))


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
    "loss": twirl,
    "predictions": predictions,
    "local error": local_error,
    "elements along generators": along_generators,
    "single elements": at_elements,
    "contributions of layers": contributions,
    "scores of layers": layer_scores,
}


def _layer_elements(situation: Situation) -> Tensor | None:
    """What moves pixels onto pixels: finite elements, quarter turns, or shifts by an eighth of the image."""
    if not situation.acts_on_images:
        return None
    if situation.group.order is not None:
        return situation.group.components[1:]
    names = [generator.name for generator in situation.group.generators]
    if names == ["translation_x", "translation_y"]:
        step = max(1, min(situation.moving.shape[-2:]) // 8)
        return measure.pixel_shifts(situation.moving, [(step, 0), (0, step)])
    if names == ["rotation"] and situation.distribution is None:
        return situation.group.exp(torch.tensor([[torch.pi / 2], [torch.pi], [-torch.pi / 2]]))
    return None
