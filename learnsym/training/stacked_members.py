"""Members of one shape trained as one ensemble, each in a run folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from learnsym.data import Batches, Splits, load_splits
from learnsym.data.splits import load_each
from learnsym.objectives import Supervised
from learnsym.training import distributed
from learnsym.training.build import build_model, build_objective
from learnsym.training.config import RunConfig
from learnsym.training.ensemble import EnsembleHistory, MembersNonFinite, fit_ensemble
from learnsym.training.evaluate import evaluate
from learnsym.training.kept_data import keep_data
from learnsym.training.member import finish
from learnsym.training.non_finite import REMEDY, NonFiniteLoss
from learnsym.training.run import Run
from learnsym.training.stacked import check_members


def can_stack(members: Sequence[RunConfig], splits: Splits | None = None) -> bool:
    """Whether `train_stacked` gives these members the weights that `train_member` would, up to rounding.

    They may differ in seeds, examples, learning rate and weight decay; nothing is learned but the weights of plain
    networks, and no network draws random numbers or keeps statistics of batches.

    Args:
        members: configurations of one member each.
        splits: the data of the first one, where they are loaded already.
    """
    first = members[0]
    if first.train.bf16 or first.train.compile or first.train.tensorboard:
        return False
    if first.net.source is not None:  # which may do what cannot be vectorised
        return False
    if len({_shared(member) for member in members}) > 1:
        return False
    splits = splits or load_splits(first.data)
    if splits.train.moves:  # batches of one tensor are stacked
        return False
    models = [build_model(member, splits.train.signature) for member in members[:2]]
    if not isinstance(build_objective(first, models[0], splits), Supervised):
        return False
    try:
        check_members(models)
    except ValueError:
        return False
    return True


def train_stacked(members: Sequence[tuple[RunConfig, Path]]) -> dict[Path, NonFiniteLoss]:
    """Train members for which `can_stack` holds as one ensemble; nothing is kept before its end.

    Returns:
        What went wrong, by folder, with members whose loss stopped being finite; the others are finished runs.
    """
    device = distributed.pick_device(members[0][0].train.device)
    runs = [Run.create(path, config, device) for config, path in members]
    splits = load_each([run.config.data for run in runs])
    models: list[nn.Module] = [
        build_model(run.config, part.train.signature).to(device) for run, part in zip(runs, splits, strict=True)
    ]
    batch_size = runs[0].config.train.batch_size
    loaders = [Batches(part.train, batch_size, run.seed, device) for run, part in zip(runs, splits, strict=True)]
    errors: dict[int, NonFiniteLoss] = {}
    try:
        history = fit_ensemble(
            models,
            runs[0].config.loss.function(),
            loaders,
            steps=runs[0].config.train.steps,
            optimiser=[run.config.optimiser for run in runs],
            seeds=[run.seed for run in runs],
        )
    except MembersNonFinite as error:
        history = error.history
        errors = {
            m: NonFiniteLoss(f"the loss or the weights of step {step} are not finite; {REMEDY}", step)
            for m, step in error.members.items()
        }
    for m, (run, model, part) in enumerate(zip(runs, models, splits, strict=True)):
        if m not in errors:
            _write(run, model, part, history, m)
    return {runs[m].path: error for m, error in errors.items()}


def _shared(config: RunConfig) -> str:
    """All that members have in common."""
    return repr(
        replace(
            config,
            seeds=[0],
            data=replace(config.data, seed=0),
            optimiser=replace(config.optimiser, lr=0.0, weight_decay=0.0, symmetry_lr=0.0),
        )
    )


def _write(run: Run, model: nn.Module, splits: Splits, history: EnsembleHistory, index: int) -> None:
    """Records, weights and scores of one member, as `train_member` leaves them."""
    steps = run.config.train.steps
    state = {"step": steps, "weights": model.state_dict(), "optimiser": {}, "objective": {}, "finished": False}
    with run.held():
        if run.is_finished:  # by another process, since this one began
            return
        run.forget()
        keep_data(run.path, splits.train)
        with run.writing():
            for record in history.member(index).records:
                run.log(record)
            run.log({"step": steps, "split": "val", **evaluate(model, splits.val, run.config.loss.function())})
            finish(run, model, splits, state)
