"""What pieces compute: a trained run under rotations, one width of the fixed twin, the law of poses of a data set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from learnsym import measure
from learnsym._batches import batch_size_within
from learnsym._memory import MEMORY
from learnsym.actions import Image
from learnsym.augment import Augmented
from learnsym.data import Batches, Dataset, load_splits
from learnsym.data.inputs import Inputs
from learnsym.degrees import Degree
from learnsym.distributions import GroupDistribution
from learnsym.groups import SO2
from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.reader import rows_read
from learnsym.measure.world import retrieved
from learnsym.methods import learns
from learnsym.objectives.contrastive import Contrastive
from learnsym.objectives.gaussian_likelihood import GaussianLikelihood
from learnsym.objectives.losses import LossFunction, mse, shaped_as
from learnsym.objectives.potential_loss import PotentialLoss, potential_errors
from learnsym.parts import Part, moved_to
from learnsym.symmetry import Symmetry
from learnsym.training import Run, build, fit, predict, read_config
from learnsym.training.build import member
from learnsym.training.evaluate import IN_CACHE, Probabilities

ORBIT_ROWS, ORBIT_COPIES = 3, 9
ERRORS = {"energy_mae_meV_per_atom": "energy MAE, meV/atom", "force_mae_meV_per_angstrom": "force MAE, meV/Å"}
"""What pages call the errors of potentials."""
NATS = "negative log-likelihood, nats a target"
RETRIEVED = {"hits_at_1": "hits@1", "mrr": "MRR"}
"""What pages call the ranks of true next states."""


def trained_run(path: str, settings: dict[str, Any], memory: float = MEMORY) -> dict[str, Any]:
    """Per-example scores of one run by rotation angle, its equivariance error, its degrees, and orbits of examples.

    Args:
        path: a run.
        settings: the fields of `AnalysisConfig` that matter here.
        memory: limit in GiB for what is computed at a time beside the examples.
    """
    run = Run(path)
    model, splits = run.model(), run.splits()
    rows = rows_of_run(model, splits.test, memory)
    method, signature = run.config.method, splits.test.signature
    symmetry, law = method.tested(signature), method.law(signature)
    loss_fn = run.config.loss.function()
    return {
        "examples": sum(len(part) for part in (splits.train, splits.val, splits.test)),
        **findings(model, splits.test, symmetry, settings, loss_fn, law=law, learned=learns(run.twin), rows=rows),
        "degrees": [vars(_with_chooser(degree, run)) for degree in run.degrees()],
    }


def findings(
    model: nn.Module,
    test: Dataset,
    symmetry: Symmetry | None,
    settings: dict[str, Any],
    loss_fn: LossFunction = mse,
    *,
    law: GroupDistribution | None = None,
    learned: bool = False,
    rows: int = IN_CACHE,
) -> dict[str, Any]:
    """Per-example scores of a trained model by rotation angle, its equivariance error, and orbits of examples.

    Args:
        model: the model.
        test: examples that it was not trained on.
        symmetry: under which its error is measured; None for none.
        settings: the fields of `AnalysisConfig` that matter here.
        loss_fn: that was trained; one of energies and forces, or of means and variances, changes what is found.
        law: of the elements of that error; None for the uniform one.
        learned: whether the model has a learned distribution whose orbits are shown.
        rows: examples at a time; does not change the result.
    """
    images = len(test.in_shape) == 3
    turnable = images and not test.on_sphere and test.y.dim() == 1 and settings["angle_step"]
    angles = [float(angle) for angle in range(0, 360, settings["angle_step"])] if turnable else []
    few = test.subset(torch.arange(len(test))[: settings["angle_examples"]])
    return {
        **_scored(predict(model, test.inputs, rows), test, loss_fn),
        "angles": angles,
        "turned": [scores(_read_turned(model, few, angle, rows), few).tolist() for angle in angles],
        "error": None if symmetry is None else _equivariance(model, test, symmetry, law, settings, rows),
        "orbit": orbit_of(model, test) if images and learned else None,
    }


def rows_of_run(model: nn.Module, data: Dataset, memory: float) -> int:
    """How many examples of a run are computed at a time within a limit in GiB.

    Raises:
        ValueError: when one takes more.
    """
    one, _ = data.batch(torch.arange(1))
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    return batch_size_within(model, moved_to(one, device), memory, IN_CACHE)


def _read_turned(model: nn.Module, data: Dataset, angle: float, rows: int) -> Tensor:
    """The outputs for turned images, of which no more than some exist at a time."""
    parts = (data.subset(each) for each in torch.arange(len(data)).split(rows))
    return torch.cat([predict(model, turned(part, angle), rows) for part in parts])


def _scored(outputs: Tensor, test: Dataset, loss_fn: LossFunction) -> dict[str, Any]:
    """One score per example and its name, and further errors by name with their unit."""
    if isinstance(loss_fn, PotentialLoss):
        also = {ERRORS[name]: errors.tolist() for name, errors in potential_errors(outputs, test.y).items()}
        return {"score": "potential loss", "scores": loss_fn.of_each(outputs, test.y).tolist(), "also": also}
    if isinstance(loss_fn, GaussianLikelihood):
        return {"score": NATS, "scores": loss_fn.of_each(outputs, test.y.cpu()).tolist()}
    if isinstance(loss_fn, Contrastive):
        also = {RETRIEVED[name]: values.tolist() for name, values in retrieved(outputs, test.y).items()}
        return {"score": "contrastive loss", "scores": loss_fn.of_each(outputs, test.y).tolist(), "also": also}
    return {"score": "accuracy" if test.classes else "squared error", "scores": scores(outputs, test).tolist()}


def _with_chooser(degree: Degree, run: Run) -> Degree:
    label = run.config.chooser.label
    return replace(degree, method=f"{degree.method}, {label}") if label else degree


def turned(data: Dataset, angle: float) -> Inputs:
    """Inputs, of which the images are turned counter-clockwise by `angle` degrees."""
    x, _ = data.batch(torch.arange(len(data)))
    if not angle:
        return x
    g = SO2().exp(torch.tensor([[math.radians(angle)]])).expand(len(data), 2, 2)
    part = Part(data.moves)
    return part.put(x, Image()(g, part.get(x)))


def scores(outputs: Tensor, data: Dataset) -> Tensor:
    """One score per example `(N,)`: 1 for the right class, the share of right pixels, or a squared error."""
    if not data.classes:
        return losses(outputs, data)
    right = (outputs.argmax(1) == data.y).double().flatten(1 if data.y.dim() > 1 else 0)
    if right.dim() == 1:
        return right
    labelled = _labelled(data)
    return ((right * labelled).sum(1) / labelled.sum(1).clamp(min=1.0)).round(decimals=4)


def losses(outputs: Tensor, data: Dataset) -> Tensor:
    """One loss per example `(N,)`: negative log-likelihood, mean over labelled pixels, or the squared error."""
    if not data.classes:
        return (shaped_as(outputs, data.y) - data.y).square().reshape(len(outputs), -1).mean(1)
    loss = F.cross_entropy(outputs, data.y, ignore_index=-100 if data.ignore is None else data.ignore, reduction="none")
    return loss if loss.dim() == 1 else loss.flatten(1).sum(1) / _labelled(data).sum(1).clamp(min=1.0)


def _labelled(data: Dataset) -> Tensor:
    return (data.y != (-100 if data.ignore is None else data.ignore)).double().flatten(1)


def orbit_of(model: nn.Module, data: Dataset) -> dict[str, Any] | None:
    """Examples, and the same moved by draws spread evenly over the learned distribution, ordered by rotation."""
    if not isinstance(model, Augmented):
        return None
    copies = ORBIT_COPIES
    x, _ = data.batch(torch.arange(min(ORBIT_ROWS, len(data))))
    chosen: Tensor = Part(data.moves).get(x)
    with torch.no_grad():
        distribution = model.distribution(chosen)
        if distribution.batch_shape:
            return None
        u = torch.quasirandom.SobolEngine(distribution.uniforms, scramble=True, seed=0).draw(copies)
        names = [generator.name for generator in model.symmetry.group.generators]
        if "rotation" in names and distribution.uniforms == len(names):
            u[:, names.index("rotation")] = (torch.arange(copies) + 0.5) / copies
        g = distribution.from_uniform(u.to(distribution.reference))
        moved = [model.symmetry.on_input.within(g, image.expand(copies, *image.shape)) for image in chosen]
    return {"originals": _pixels(chosen), "moved": [_pixels(images) for images in moved]}


def _pixels(images: Tensor) -> list:
    picture = images.movedim(1, -1) if images.shape[1] == 3 else images[:, 0]
    return [
        [[round(v, 3) for v in row] if picture.dim() == 3 else row for row in image]
        for image in picture.clamp(0, 1).tolist()
    ]


def _equivariance(
    model: nn.Module,
    test: Dataset,
    symmetry: Symmetry,
    law: GroupDistribution | None,
    settings: dict[str, Any],
    rows: int,
) -> dict[str, Any] | None:
    x, _ = test.batch(torch.arange(len(test))[: settings["equivariance_examples"]])
    try:
        symmetry.on_input.check_data(symmetry.group, x)
    except ValueError:
        return None
    options = {"samples": settings["equivariance_samples"], "seed": settings["seed"], "distribution": law}
    asked = Probabilities(model) if test.classes else model
    error = measure.equivariance_error(asked, x, symmetry, batch_size=rows, **options)
    floor = measure.interpolation_floor(x, symmetry, **options)
    return {"symmetry": symmetry.name, "per_sample": error.linear.tolist(), "floor": floor.mean}


def fixed_width(path: str, generator: str, width: float, steps: int | None, replicate: int) -> dict[str, Any]:
    """Validation loss of each example after training the fixed twin with one half-width of augmentation, on the CPU.

    Args:
        path: a run, whose data, network and optimiser are used.
        generator: name of the generator that is varied; all others stay at zero.
        width: half-width in the generator's unit.
        steps: training steps; None for those of the run.
        replicate: added to the seed of the run.
    """
    config = read_config(f"{path}/config.yaml")
    seed = config.seeds[0] + replicate
    method = config.method.at_width(generator, width)
    assert method is not None  # since there are widths
    config = member(replace(config, method=method), "fixed", seed)
    model, objective, splits = build(config)
    batches = Batches(splits.train, config.train.batch_size, seed)
    train = replace(config.train, compile=False, bf16=False, eval_every=None)
    fit(model, objective, batches, steps=steps, optimiser=config.optimiser, train=train, seed=seed)
    return {"loss": losses(predict(model, splits.val.inputs, IN_CACHE), splits.val).tolist()}


def pose_law(
    path: str, generator: str, settings: dict[str, Any], level: float, seed: int, memory: float = MEMORY
) -> dict[str, Any]:
    """The law of poses of the training and validation inputs of a run, along one generator.

    Args:
        path: a run, of which only the inputs are read.
        generator: name of the generator.
        settings: fields of `PoseConfig`.
        level: coverage that the interval aims at.
        seed: determines folds, network and bootstrap.
        memory: limit in GiB for what is computed at a time beside the examples.
    """
    config = read_config(f"{path}/config.yaml")
    splits = load_splits(config.data if settings["size"] is None else replace(config.data, size=settings["size"]))
    count = settings["examples"]
    x = torch.cat([moving(part, count) for part in (splits.train, splits.val)])[:count]
    symmetry = config.method.moved(splits.train.signature)
    assert symmetry is not None  # since laws were planned
    options = {"steps": settings["steps"], "folds": settings["folds"], "level": level, "seed": seed, "memory": memory}
    check_training_step(x, symmetry, generator, memory)
    try:
        posterior = measure.pose_posterior(x, symmetry, generator, **options)
    except ValueError as error:
        return {"reason": f"No law of poses along {generator!r}: {error}."}
    return {"law": law_of(posterior), "degrees": [vars(degree) for degree in posterior.degrees(config.data.label)]}


def check_training_step(x: Tensor, symmetry: Symmetry, generator: str, memory: float) -> None:
    """Refuse a limit in GiB within which the network that reads poses cannot be trained."""
    try:
        axis = PoseAxis.of(symmetry, generator)
    except ValueError:  # which says why there is no law
        return
    rows_read(axis, x, None, memory)


def moving(data: Dataset, count: int | None) -> Tensor:
    """What symmetries move of the first examples."""
    x, _ = data.batch(torch.arange(len(data))[:count])
    return Part(data.moves).get(x)


def law_of(posterior: measure.PosePosterior) -> dict[str, Any]:
    """A law of poses as plain values: the fields of `PoseLaw`."""
    grid, density, fitted = posterior.grid()
    chosen = posterior.axis.generator
    noise = posterior.deconvolution.noise * posterior.unit
    return {
        "generator": chosen.name,
        "unit": chosen.unit,
        "cap": posterior.axis.window / chosen.per_unit,
        "grid": grid,
        # a free law fitted to noise alone shows modes that are not there
        "density": [] if posterior.is_flat else smoothed(density, noise / (grid[1] - grid[0]), posterior.axis.closed),
        "fitted": fitted,
        "half_width": {"estimate": posterior.half_width, "low": posterior.low, "high": posterior.high},
        "kind": _kind(posterior),
        "flags": posterior.flags,
        "facts": posterior.facts,
    }


def smoothed(density: Sequence[float], spread: float, closed: bool) -> list[float]:
    """A density on a grid, seen through normal noise.

    Args:
        density: values on a regular grid.
        spread: standard deviation of the noise in grid steps.
        closed: whether the grid is a circle; at the ends of an open one the density is reflected.
    """
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(np.asarray(density), spread, mode="wrap" if closed else "reflect").tolist()


def _kind(posterior: measure.PosePosterior) -> str:
    if posterior.is_flat:
        return "full" if posterior.can_learn else "unreadable"
    if posterior.order > 1:
        return "periodic"
    if posterior.form == "several modes":
        return "several"
    # a rejected fit of a single mode is still a range; the flag says how it differs from a uniform one
    return "several" if posterior.is_rejected and sum(mass > 0.1 for _, mass in posterior.modes()) > 1 else "range"
