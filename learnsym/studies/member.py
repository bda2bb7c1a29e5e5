"""One training of a study: one twin with one seed, measured on test examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from learnsym.data import Batches, Splits
from learnsym.files import write_json
from learnsym.measure.config import AnalysisConfig
from learnsym.methods import learns
from learnsym.report.run.own import RESULT
from learnsym.report.run.pieces import findings, losses
from learnsym.studies.examples import in_memory
from learnsym.studies.recipe import Recipe
from learnsym.training import OwnRun, Run, TrainConfig, evaluate, fit, predict
from learnsym.training.distributed import pick_device

EVALUATIONS, CHECKPOINTS = 4, 100
"""Evaluations of a training, and steps between its checkpoints."""
HOW = {
    "training": "as Augerino does (Benton et al. 2020, arXiv 2010.11882)",
    "selection": "as one of several hypotheses from none to all of it, which held-out examples chose",
}
"""How the learned twin came by its degrees, by chooser."""
MEASURED: dict[str, Any] = {
    "angle_step": 30,
    "angle_examples": 200,
    "equivariance_samples": 8,
    "equivariance_examples": 64,
    "seed": AnalysisConfig().seed,
}


def train_member(recipe: Recipe, twin: str, seed: int, splits: Splits, path: Path, label: str) -> OwnRun:
    """Train and measure one twin with one seed in a run folder, or continue what is there.

    Args:
        recipe: how twins are made.
        twin, seed: which one.
        splits: the examples.
        path: of the run.
        label: what tables and figures call the data.
    """
    factory = None if isinstance(recipe.net, nn.Module | str) else recipe.net
    run = Run.new(path, factory=factory, data=label, twin=twin)
    if run.is_finished and (path / RESULT).is_file():
        return run
    settings, device = recipe.settings, pick_device(recipe.settings.device)
    model, loss_fn = recipe.trained(twin, seed).to(device), recipe.loss.function()
    steps = recipe.steps(twin, splits.train, splits.val)
    fit(
        model,
        recipe.objective(twin, splits.train, splits.val, steps),
        Batches(splits.train, settings.size_for(len(splits.train)), seed, device),
        steps=steps,
        optimiser=settings.optimiser,
        train=TrainConfig(eval_every=max(1, steps // EVALUATIONS), checkpoint_every=CHECKPOINTS),
        seed=seed,
        run=run,
        validate=lambda trained: evaluate(trained, splits.val, loss_fn),
    )
    write_json(path / RESULT, _measured(recipe, twin, recipe.evaluated(twin, model), splits))
    return run


def _measured(recipe: Recipe, twin: str, model: nn.Module, splits: Splits) -> dict[str, Any]:
    """What is kept of a trained twin, as plain values: its page is made of these alone."""
    symmetry, test = recipe.exact or recipe.symmetry, in_memory(splits.test)
    generators = recipe.symmetry.group.generators
    return {
        "examples": sum(len(part) for part in (splits.train, splits.val, splits.test)),
        "val": float(losses(predict(model, splits.val.inputs), splits.val).mean()),
        "caps": {generator.name: generator.cap / generator.per_unit for generator in generators},
        "notes": _notes(recipe, splits),
        **findings(model.cpu(), test, symmetry if recipe.exact else None, MEASURED, learned=learns(twin)),
    }


def _notes(recipe: Recipe, splits: Splits) -> list[str]:
    given = isinstance(recipe.net, nn.Module)
    weights = "are those of the module that was given" if given else "are drawn with the seed"
    settings, count = recipe.settings, len(splits.train)
    notes = [
        f"The learned twin learns {recipe.symmetry.name} {HOW[settings.chooser]}.",
        f"Steps: {', '.join(f'{twin} {recipe.steps(twin, splits.train, splits.val)}' for twin in settings.twins)}, of "
        f"{settings.size_for(count)} of {count} training examples each, so that all twins cost the same in training; "
        f"initial weights {weights}, the same for all twins of a seed.",
        *dict.fromkeys(note for part in (splits.train, splits.val, splits.test) for note in part.notes),
    ]
    if recipe.exact is not None:
        notes.append(
            f"Exact: trained with one random element of {recipe.exact.name} an example and step, averaged over its "
            "orbit in evaluation; its equivariance is the one that is measured of all twins."
        )
    return notes
