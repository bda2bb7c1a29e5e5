"""Inference of the law of poses: training, reading, fitting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from learnsym._memory import MEMORY
from learnsym._settings import shown
from learnsym.measure._inputs import moving
from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.ground import grounded
from learnsym.measure.pose.nuisances.answer import with_saliency, without_cues
from learnsym.measure.pose.posterior import PosePosterior
from learnsym.measure.pose.reader import Network, rows_read
from learnsym.measure.pose.study import Study
from learnsym.parts import Whole
from learnsym.statistics import LEVEL
from learnsym.symmetry import Symmetry, SymmetryLike


def pose_posterior(
    x: object,
    symmetry: SymmetryLike,
    generator: str = "rotation",
    *,
    network: Network | None = None,
    steps: int = 400,
    folds: int = 2,
    moves: float | None = None,
    examples: int | None = 10_000,
    level: float = LEVEL,
    bootstrap: int = 200,
    seed: int = 0,
    memory: float = MEMORY,
) -> PosePosterior:
    """The law of poses of a data set along one generator, without labels.

    A network is trained to tell by which `g(t)`, drawn over the whole range, an example was moved. Its posterior on
    held-out examples gives their poses, and the law of the poses is fitted in two ways: a uniform law of half-width `t`
    with noise, flips and outliers by maximum likelihood, and a non-parametric law that sees several modes. The interval
    joins bootstrap over examples or spread of folds, and a floor; near the ends of the range it is opened.

    What a camera adds may tell poses, and is no law of the objects: an offset, a slope of the light, the lattice, a
    border, unequal sides of pixels, noise with a direction. Where the law is surely wider without them, that law is the
    answer, and its `cue` names what told the rest.

    A uniform law on the whole orbit leaves nothing to learn: `is_flat`. On open orbits (translation, scale, shear) the
    background must be constant at the border, otherwise the border tells the move.

    Args:
        x: examples, a tensor or an array; or a `Dataset`, or splits, of which those for training are read. Labels are
            not needed.
        symmetry: whose action moves them, or its name.
        generator: name of a generator of its group.
        network: a function of the number `K` of bins that returns a module `(B, ...) -> (B, K)`; chosen by the data
            when None: circular convolutions on polar coordinates for rotations of images, convolutions for other moves
            of images and volumes, a sum over points for point clouds.
        steps: training steps per fold, of 128 examples.
        folds: number of folds; each example is read by a network that has not seen it.
        moves: on open orbits the largest move to each side, in the unit of the generator; the cap when None. A law
            is read well up to a third of it.
        examples: at most so many are taken, at random; all when None. That examples are few adds `1/sqrt(examples)` to
            the uncertainty; floors, kernels and shapes, which more examples do not lessen, outweigh it beyond some
            thousands. The law says how many were left out.
        level: coverage that the interval aims at.
        bootstrap: number of bootstrap replicates.
        seed: of folds, networks and bootstrap; the caller's random state is left alone.
        memory: limit in GiB for what is computed at a time beside the examples; does not change the result.

    Raises:
        ValueError: when `x` does not fit the symmetry, the generator is unknown, the group has none, there are too
            few examples, or a training step takes more than the memory.

    Example:
        >>> x = torch.randn(64, 1, 12, 12)
        >>> law = ls.measure.pose_posterior(x, "rotation2d", steps=2, bootstrap=5)
        >>> law.is_flat
        True
    """
    x, symmetry = moving(_examples(x), symmetry)
    _check_generator(symmetry, generator)
    symmetry.on_input.check_data(symmetry.group, x)
    axis = PoseAxis.of(symmetry, generator, moves)
    _check_count(examples, folds)
    count = len(x)
    x = _some(x, examples, seed)
    if folds < 2 or len(x) < 10 * folds:
        raise ValueError(f"x: got {len(x)} examples for {folds} folds, must be at least 2 folds of 10; take more data")
    x = grounded(x.float(), symmetry.on_input, shows=not axis.closed)
    rows = rows_read(axis, x, network, memory)
    study = Study(axis, network, steps, folds, level, bootstrap, seed, rows)
    readers = study.trained(x)
    plain = with_saliency(study.law(x, readers), study, x, readers)
    return replace(without_cues(plain, study, x, readers), left_out=count - len(x))


def _examples(x: Any) -> Whole:  # noqa: ANN401
    if isinstance(x, str):
        load = f"ls.data.load_splits(ls.data.DataConfig(name={x!r}))"
        raise ValueError(f"x: got {shown(x)}, must be examples, a Dataset or splits; for a name take {load}")
    # splits hold data sets, and these hold inputs; both belong to parts of the library that build on this one
    x = getattr(x, "train", x)
    return getattr(x, "inputs", x)


def _check_count(examples: int | None, folds: int) -> None:
    if examples is not None and examples < 10 * folds:
        raise ValueError(f"examples: got {examples}, must be at least {folds} folds of 10; None takes all")


def _some(x: Tensor, examples: int | None, seed: int) -> Tensor:
    if examples is None or len(x) <= examples:
        return x
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:examples]
    return x[rows.to(x.device)]


def _check_generator(symmetry: Symmetry, generator: str) -> None:
    group = symmetry.group
    if not group.dim:
        remedy = "use ls.measure.closure_test with one of its elements"
        raise ValueError(f"symmetry: got {group.name}, which has no generator, so that no range can be read; {remedy}")
    if generator == "rotation" and "rotation_z" in [each.name for each in group.generators]:
        remedy = (
            "name one of rotation_x, rotation_y, rotation_z, or use ls.measure.space_pose_posterior for all of them"
        )
        raise ValueError(f"generator: got 'rotation', which {group.name} has about each axis; {remedy}")
