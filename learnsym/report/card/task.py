"""What a model's outputs are for, how well they serve, and whether that is better than chance.

Legend of axes: `B` examples, `K` classes, `*P` pixels (none for a classifier).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.example_losses import mse
from learnsym.report.card.row import Row
from learnsym.report.card.targets import NO_LABEL, Supervision, supervision
from learnsym.statistics import Estimate, student_interval

PERMUTATIONS = 199
"""Random pairings of outputs with targets of other examples."""
CHANCE = 0.05
"""The p-value above which a model cannot be told from one that guesses."""
HARDLY, TIMES = 0.15, 2.0
"""A classifier is hardly better than guesses when it wins less than this part of what they lose, and is right less than
so many times as often as the best constant answer."""
CLEARLY = 0.5
"""One that wins this part of what guesses lose is better even where few examples leave it open."""
SAME = 0.99
"""Share of examples with one and the same answer from which a classifier is taken as constant."""
ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Task:
    """What outputs are for, how well they serve, and why their symmetry may say nothing."""

    is_classes: bool
    """Whether outputs `(B, K, *P)` are scores of classes."""
    supervised: Supervision | None = None
    """The loss; None without targets, or where they fit no loss."""
    rows: tuple[Row, ...] = ()
    doubt: str = ""
    """Why the symmetry of this model says nothing of a solution; empty for a model that has learned something."""
    notes: tuple[str, ...] = ()


def task_of(outputs: Tensor, y: Tensor | None) -> Task:
    """Judge a model on its examples.

    Args:
        outputs: of the model, `(B, ...)`.
        y: targets, one per example, or None.
    """
    if y is None:
        return _without_targets(outputs, "The data have no targets y, so that no accuracy and no loss was measured.")
    try:
        supervised = supervision(outputs, y)
    except ValueError as error:
        return _without_targets(outputs, f"No accuracy and no loss was measured ({error}).")
    chosen = outputs[supervised.chosen]
    is_classes = supervised.loss is not mse
    scores = right(chosen, supervised.y) if is_classes else -supervised.loss(chosen.double(), supervised.y.double())
    rows = tuple(_rows(chosen, supervised, is_classes))
    doubt = _chance(chosen, supervised, scores, is_classes)
    doubt = " ".join(filter(None, (doubt, constant(outputs, is_classes)))) if doubt else ""
    missing = len(y) - len(supervised.chosen)
    note = f"{missing} of {len(y)} examples have no label and are left out of accuracy and loss."
    return Task(is_classes=is_classes, supervised=supervised, rows=rows, doubt=doubt, notes=(note,) if missing else ())


def right(outputs: Float[Tensor, "B K *P"], y: Tensor) -> Float[Tensor, "B"]:
    """1 for each example whose best class is the right one; of maps the share of pixels that have a label."""
    labelled = (y != NO_LABEL).reshape(len(y), -1)
    hits = (outputs.argmax(1) == y).reshape(len(y), -1) & labelled
    return hits.double().sum(1) / labelled.sum(1).clamp(min=1)


def constant(outputs: Tensor, is_classes: bool) -> str:
    """A sentence on a model that answers all examples alike; empty for others."""
    flat = outputs.double().reshape(len(outputs), -1)
    if float((flat - flat[0]).abs().max()) <= ROUNDING * float(flat.abs().max()):
        return "Gives the same output for all examples."
    if not is_classes or outputs.ndim != 2:
        return ""
    counts = outputs.argmax(1).bincount()
    share = float(counts.max()) / len(outputs)
    return f"Answers class {int(counts.argmax())} for {share:.0%} of all examples." if share >= SAME else ""


def _without_targets(outputs: Tensor, note: str) -> Task:
    is_classes = outputs.ndim == 2 and outputs.shape[1] > 1 and outputs.is_floating_point()
    return Task(is_classes=is_classes, doubt=constant(outputs, is_classes), notes=(note,))


def _rows(outputs: Tensor, supervised: Supervision, is_classes: bool) -> list[Row]:
    losses = supervised.loss(outputs.double(), supervised.y if is_classes else supervised.y.double())
    rows = [_row("cross-entropy" if is_classes else "mean squared error", losses, "1")]
    return [_row("accuracy", right(outputs, supervised.y), "share"), *rows] if is_classes else rows


def _row(measure: str, per_example: Float[Tensor, "B"], unit: str) -> Row:
    estimate = Estimate.of(per_example)
    interval = student_interval(estimate).clipped(0.0, 1.0 if unit == "share" else float("inf"))
    return Row(
        symmetry="",
        site="output",
        measure=measure,
        value=estimate.mean,
        stderr=estimate.stderr,
        low=interval.low,
        high=interval.high,
        unit=unit,
        per_example=tuple(per_example.tolist()),
    )


def _chance(outputs: Tensor, supervised: Supervision, scores: Float[Tensor, "B"], is_classes: bool) -> str:
    """A sentence on a model that cannot be told from guesses; empty for others."""
    score, guesses = float(scores.mean()), _guesses(outputs, supervised, is_classes)
    p = (1 + int((guesses >= score - ROUNDING * abs(score)).sum())) / (1 + PERMUTATIONS)
    if not is_classes:
        said = f"Predicts at chance: its error is no smaller than with the targets of other examples (p = {p:.2g})."
        return said if p > CHANCE else ""
    chance = float(guesses.mean())
    won = (score - chance) / max(1 - chance, ROUNDING)
    hardly = won < HARDLY and score < TIMES * _majority(supervised.y)
    said = f"Predicts at chance: {score:.0%} of its answers are right, and {chance:.0%} of blind guesses."
    return said if hardly or (p > CHANCE and won < CLEARLY) else ""


def _guesses(outputs: Tensor, supervised: Supervision, is_classes: bool) -> Float[Tensor, "R"]:
    """The mean score beside the targets of other examples, `R` times."""
    generator = torch.Generator().manual_seed(0)
    orders = [torch.randperm(len(outputs), generator=generator).to(outputs.device) for _ in range(PERMUTATIONS)]
    if not is_classes:
        f, y = outputs.double(), supervised.y.double()
        return torch.stack([-supervised.loss(f, y[order]).mean() for order in orders])
    best = outputs.argmax(1)
    labelled = (supervised.y != NO_LABEL).double().reshape(len(best), -1)
    guessed = ((best, supervised.y[order]) for order in orders)
    counts = labelled.sum(1).clamp(min=1)
    return torch.stack([((a == b).reshape(len(a), -1).double().sum(1) / counts).mean() for a, b in guessed])


def _majority(y: Tensor) -> float:
    """Share of the most frequent label."""
    labels = y[y != NO_LABEL]
    return float(labels.bincount().max()) / len(labels)
