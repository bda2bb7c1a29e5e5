"""What a trial is judged by: scores of a run on validation data, never on test data, and what its training costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from learnsym import measure
from learnsym.data import Signature
from learnsym.nets.cost import flops
from learnsym.training import Run, RunConfig, build
from learnsym.training.evaluate import Probabilities


class BadScore(RuntimeError):
    """A score is missing or not finite."""


def scores(run: Run, objectives: Sequence[str]) -> dict[str, float]:
    """The objectives of one finished run, by name.

    Raises:
        BadScore: when one is missing or not finite.
    """
    values = {name: SCORES[name](run) for name in objectives}
    bad = [f"{name} is {value}" for name, value in values.items() if not math.isfinite(value)]
    if bad:
        raise BadScore(f"{', '.join(bad)} in {run.path}")
    return values


def check_objectives(config: RunConfig, objectives: Sequence[str], signature: Signature) -> None:
    """Refuse objectives that runs of a configuration do not have, before any work."""
    if config.train.steps == 0:
        raise ValueError("train.steps: got 0, a study needs trained runs; set it to at least 1")
    if "accuracy" in objectives and not signature.classes:
        raise ValueError("objectives: got 'accuracy' for a regression; use loss")
    if "equivariance_error" in objectives:
        config.method.tested(signature)


def _validation(run: Run, name: str) -> float:
    records = [record for record in run.metrics() if record["split"] == "val" and name in record]
    return records[-1][name] if records else math.nan


def _equivariance_error(run: Run) -> float:
    """Of probabilities where there are classes: logits of different networks have scales of their own."""
    data, analysis = run.splits().val, run.config.analysis
    model = run.model()
    return measure.equivariance_error(
        Probabilities(model) if data.classes else model,
        data.subset(torch.arange(len(data))[: analysis.equivariance_examples]).inputs,
        run.config.method.tested(data.signature),
        samples=analysis.equivariance_samples,
        distribution=run.config.method.law(data.signature),
        seed=analysis.seed,
    ).mean


def _cost(run: Run) -> float:
    """Counted FLOPs of the whole training."""
    train = run.config.train
    model, objective, splits = build(run.config)
    some = splits.train.subset(torch.arange(min(train.batch_size, len(splits.train))))
    cost = flops(
        model,
        some.inputs,
        batch_size=train.batch_size,
        loss=lambda model, x: objective(model, (x, some.y)).total,
    )
    return cost.training * train.batch_size * train.steps


SCORES = {
    "loss": lambda run: _validation(run, "task"),
    "accuracy": lambda run: _validation(run, "accuracy"),
    "equivariance_error": _equivariance_error,
    "cost": _cost,
}
