"""Which moves do labels tolerate? One network learns, for all widths of augmentation, what it may still predict.

For a candidate and a half-width `w` let `q(y | x; w)` be the best prediction of the target of an example *as it is* by
one who has seen examples moved by `U(-w, w)` (or, of an element, half of them moved by it). Where moves keep the labels
it is no worse than `q(y | x; 0)`; where they turn some examples into likenesses of other classes it is, by

    harm(w) = E log q(y | x; 0) - E log q(y | x; w)    on held-out examples, in nats.

All widths share one network whose head is told the width (as in "You only train once", Dosovitskiy and Djolonga 2020):
features are learned once, and what remains is what the labels say. Regressions have half of the squared error, in units
of the variance of the target. Legend of axes: `B` examples, `W` conditions (a candidate and a width; first "none").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym._batches import COPIES, activation_bytes, rows_within
from learnsym._memory import MEMORY
from learnsym.actions import Image
from learnsym.actions.border import border_level
from learnsym.inference.candidates import Candidate
from learnsym.inference.networks import ConditionalNetwork, features_of
from learnsym.inference.views import positioned
from learnsym.measure.pose.axis import PoseAxis

FOLDS, BATCH, READ, LEARNING_RATE, WEIGHT_DECAY = 2, 128, 512, 3e-3, 0.03
OWN_RATE = 10.0
"""Learning rate of what belongs to one condition, which few examples of each batch train, over that of the rest."""


@dataclass(frozen=True)
class Condition:
    """A candidate with one width of augmentation; no candidate for examples as they are."""

    candidate: Candidate | None
    width: float

    def move(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Examples moved by draws of the law."""
        candidate = self.candidate
        if candidate is None:
            return x
        assert candidate.symmetry is not None  # since it fits
        draws = torch.rand(len(x), generator=generator)
        if candidate.element is not None:
            element = candidate.element.to(x).expand(len(x), -1, -1)
            half = (draws < 0.5).to(x.device).view(-1, *[1] * (x.dim() - 1))
            return torch.where(half, candidate.symmetry.on_input(element, x), x)
        axis = PoseAxis.of(candidate.symmetry, candidate.name, candidate.moves)
        coordinates = (2 * draws - 1) * self.width * axis.generator.per_unit
        return axis.move(x, coordinates.to(x.device))


def conditions_of(candidates: Sequence[Candidate]) -> list[Condition]:
    """All widths of all candidates that fit the data, after "none"."""
    return [Condition(None, 0.0)] + [Condition(c, width) for c in candidates if c.fits for width in c.widths]


def why_no_labels(y: Tensor | None) -> str:
    """Why labels say nothing about moves; empty when they do."""
    if y is None:
        return "there are no labels"
    if y.is_floating_point() and y.flatten(1 if y.dim() > 1 else 0).shape[1:] not in ((), (1,)):
        return "targets of several numbers may move with the examples, which is not looked into"
    if not y.is_floating_point() and y.dim() > 1:
        return "targets are maps, which move with the examples"
    constant = bool((y == y.flatten()[0]).all())
    return "all targets are the same" if constant else ""


def harms_of_fold(
    x: Tensor,
    y: Tensor,
    candidates: Sequence[Candidate],
    fold: int,
    *,
    steps: int,
    seed: int,
    memory: float = MEMORY,
) -> dict[str, Any]:
    """The harm of each condition on one half of the examples, by the network that the other half trained.

    Args:
        x: examples.
        y: labels `(N,)` of classes, or real numbers.
        candidates: of these data.
        fold: 0 or 1.
        steps: training steps.
        seed: of folds and network.
        memory: limit in GiB.

    Returns:
        Mean and variance of the harm of each condition over examples, the loss as it is, and that of a constant.
    """
    held_out = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)) % FOLDS == fold
    conditions, target = conditions_of(candidates), Target.of(y)
    shown, conditions = _shown(x, conditions)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(FOLDS * seed + fold)
        network = ConditionalNetwork(features_of(shown), len(conditions), target.outputs).to(x.device)
        rows = rows_of(network.features, shown, memory)
        _train(network, shown[~held_out], target.y[~held_out], target, conditions, steps, FOLDS * seed + fold)
    losses = _losses(network, shown[held_out], target.y[held_out], target, len(conditions), rows)
    harm = losses - losses[0]
    return {
        "harm": harm.mean(1).tolist(),
        "variance": harm.var(1).tolist(),
        "loss": float(losses[0].mean()),
        "chance": target.chance,
        "examples": int(held_out.sum()),
    }


def rows_of(features: nn.Module, x: Tensor, memory: float) -> int:
    """How many examples are read at a time within a limit in GiB; a training step always takes a batch.

    Raises:
        ValueError: when a training step takes more.
    """
    return rows_within(COPIES * activation_bytes(features, x[:1]), memory, READ, BATCH)


@dataclass(frozen=True)
class Target:
    """What is predicted, with its loss and the loss of a constant."""

    y: Tensor
    outputs: int
    chance: float

    @staticmethod
    def of(y: Tensor) -> Target:
        """Classes of whole numbers; other targets in units of their spread."""
        if not y.is_floating_point():
            classes, numbered = y.unique(return_inverse=True)
            share = torch.bincount(numbered).double() / len(y)
            return Target(numbered, len(classes), float(-(share * share.log()).sum()))
        flat = y.flatten()
        return Target((flat - flat.mean()) / flat.std(), 1, 0.5)

    def loss(self, outputs: Float[Tensor, "B K"], y: Tensor) -> Float[Tensor, "B"]:
        """Negative log-likelihood, or half of the squared error."""
        if y.is_floating_point():
            return (outputs.squeeze(1) - y).square() / 2
        return F.cross_entropy(outputs, y, reduction="none")


def _shown(x: Tensor, conditions: list[Condition]) -> tuple[Tensor, list[Condition]]:
    """Examples without their ground, or conditions that mirror photographs at the border."""
    if x.dim() == 3:
        first = next(c.candidate.symmetry for c in conditions if c.candidate and c.candidate.symmetry)
        return positioned(x, first), conditions
    level = border_level(x)
    if level is None:
        return x, [replace(c, candidate=_reflecting(c.candidate)) for c in conditions]
    return x - level.view(-1, 1, 1), conditions


def _reflecting(candidate: Candidate | None) -> Candidate | None:
    if candidate is None or candidate.symmetry is None or not isinstance(candidate.symmetry.on_input, Image):
        return candidate
    return replace(candidate, symmetry=replace(candidate.symmetry, on_input=Image(padding="reflection")))


def _train(
    network: ConditionalNetwork,
    x: Tensor,
    y: Tensor,
    target: Target,
    conditions: list[Condition],
    steps: int,
    seed: int,
) -> None:
    generator = torch.Generator().manual_seed(seed)
    shared = [p for name, p in network.named_parameters() if not name.startswith("modulation")]
    rates = [LEARNING_RATE, OWN_RATE * LEARNING_RATE]
    groups = [{"params": shared, "weight_decay": WEIGHT_DECAY}, {"params": network.modulation.parameters()}]
    optimiser = torch.optim.AdamW(groups, LEARNING_RATE, weight_decay=0.0)
    # a schedule of fewer steps would have no rise
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=max(steps, 6), pct_start=0.2)
    for _ in range(steps):
        rows = torch.randint(len(x), (BATCH,), generator=generator)
        condition = torch.randint(len(conditions), (BATCH,), generator=generator)
        moved = _moved(x[rows.to(x.device)], condition, conditions, generator)
        optimiser.zero_grad(set_to_none=True)
        target.loss(network(moved, condition.to(x.device)), y[rows.to(x.device)]).mean().backward()
        optimiser.step()
        schedule.step()
    network.eval()


def _moved(x: Tensor, condition: Int[Tensor, "B"], conditions: list[Condition], generator: torch.Generator) -> Tensor:
    moved = x.clone()
    for index in condition.unique().tolist():
        rows = (condition == index).to(x.device)
        moved[rows] = conditions[index].move(x[rows], generator)
    return moved


@torch.no_grad()
def _losses(
    network: ConditionalNetwork, x: Tensor, y: Tensor, target: Target, count: int, rows: int
) -> Float[Tensor, "W N"]:
    columns = []
    for part, labels in zip(x.split(rows), y.split(rows), strict=True):
        features = network.features(part)
        ones = torch.ones(len(part), dtype=torch.long, device=x.device)
        columns.append(torch.stack([target.loss(network.predict(features, c * ones), labels) for c in range(count)]))
    return torch.cat(columns, 1).double().cpu()


def pooled(folds: Sequence[dict[str, Any]]) -> tuple[list[float], list[float]]:
    """Harm of each condition with its standard error, over examples and over the networks of the folds."""
    harms = torch.tensor([fold["harm"] for fold in folds], dtype=torch.float64)
    within = torch.tensor([fold["variance"] for fold in folds], dtype=torch.float64)
    counts = torch.tensor([[fold["examples"]] for fold in folds], dtype=torch.float64)
    sampling = (within / counts).sum(0) / len(folds) ** 2
    # networks differ by chance alone in all conditions: one spread for all, from many differences of two
    between = harms[:, 1:].var(0).median() / len(folds) if harms.shape[1] > 1 else torch.zeros(())
    return harms.mean(0).tolist(), (sampling + between).clamp(min=0).sqrt().tolist()


def is_chance(folds: Sequence[dict[str, Any]]) -> bool:
    """Whether the network predicts hardly better than a constant."""
    loss = math.fsum(fold["loss"] for fold in folds) / len(folds)
    return loss > 0.8 * folds[0]["chance"]
