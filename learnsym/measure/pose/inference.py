"""Inference of the law of poses: training, reading, fitting."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.closure import told_apart
from learnsym.measure.pose.deconvolution import deconvolve
from learnsym.measure.pose.interval import extent_interval, is_flat
from learnsym.measure.pose.law import LawFit, fit_law, law_table
from learnsym.measure.pose.order import order_of
from learnsym.measure.pose.posterior import PosePosterior
from learnsym.measure.pose.read_out import CLOSED_FILTERS, EDGE, OPEN_FILTER, ReadOut, folded, read_out
from learnsym.measure.pose.reader import Network, Reader, prepared, reader
from learnsym.statistics import LEVEL
from learnsym.symmetry import Symmetry

CONTROL = 16
"""Examples that are learned by heart, to see whether the network can read poses of these data at all."""


def pose_posterior(
    x: Tensor,
    symmetry: Symmetry,
    generator: str = "rotation",
    *,
    network: Network | None = None,
    steps: int = 400,
    folds: int = 2,
    moves: float | None = None,
    level: float = LEVEL,
    bootstrap: int = 200,
    seed: int = 0,
) -> PosePosterior:
    """The law of poses of a data set along one generator, without labels.

    A network is trained to tell by which `g(t)`, drawn over the whole range, an example was moved. Its posterior on
    held-out examples gives their poses, and the law of the poses is fitted in two ways: a uniform law of half-width `t`
    with noise, flips and outliers by maximum likelihood, and a non-parametric law that sees several modes. The interval
    joins bootstrap over examples, spread of folds, and a floor; near the ends of the range it is opened.

    A uniform law on the whole orbit leaves nothing to learn: `is_flat`. On open orbits (translation, scale, shear) the
    background must be constant at the border, otherwise the border tells the move.

    Args:
        x: examples; labels are not needed.
        symmetry: whose action moves them.
        generator: name of a generator of its group.
        network: a function of the number `K` of bins that returns a module `(B, ...) -> (B, K)`; chosen by the data
            when None: circular convolutions on polar coordinates for rotations of images, convolutions for other moves
            of images and volumes, a sum over points for point clouds.
        steps: training steps per fold, of 128 examples.
        folds: number of folds; each example is read by a network that has not seen it.
        moves: on open orbits the largest move to each side, in the unit of the generator; the cap when None. A law
            is read well up to a third of it.
        level: coverage that the interval aims at.
        bootstrap: number of bootstrap replicates.
        seed: of folds, networks and bootstrap; the caller's random state is left alone.

    Raises:
        ValueError: when `x` does not fit the symmetry, the generator is unknown, or there are too few examples.

    Example:
        >>> x = torch.randn(64, 1, 12, 12)
        >>> law = ls.measure.pose_posterior(x, ls.symmetry.rotation2d(), steps=2, bootstrap=5)
        >>> law.is_flat
        True
    """
    symmetry.on_input.check_data(symmetry.group, x)
    axis = PoseAxis.of(symmetry, generator, moves)
    if folds < 2 or len(x) < 10 * folds:
        raise ValueError(f"x: got {len(x)} examples for {folds} folds, must be at least 2 folds of 10; take more data")
    ready = prepared(axis, x.float(), network)
    posterior, fold = cross_fitted(axis, ready, network, steps, folds, seed)
    order = order_of(posterior) if axis.closed else 1
    read, fit = _law(folded(posterior, order) if order > 1 else posterior, fold, axis.closed, bootstrap, seed)
    unit = axis.window / EDGE / order / axis.generator.per_unit
    free = deconvolve(read.centre, fit, axis.closed, seed)
    half_width, low, high = (value * unit for value in extent_interval(fit, free, axis.closed, level))
    return PosePosterior(
        axis=axis,
        posterior=posterior,
        fold=fold,
        order=order,
        read=read,
        fit=fit,
        deconvolution=free,
        half_width=half_width,
        low=low,
        high=high,
        level=level,
        control=control_gain(axis, ready, network, steps, seed) if order == 1 and is_flat(fit) else math.nan,
    )


def cross_fitted(
    axis: PoseAxis, x: Tensor, network: Network | None, steps: int, folds: int, seed: int
) -> tuple[Float[Tensor, "N G"], Int[Tensor, "N"]]:
    """Posterior of each prepared example by a network that was trained without it, and its fold."""
    fold = torch.empty(len(x), dtype=torch.long)
    fold[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))] = torch.arange(len(x)) % folds
    posterior = torch.zeros(len(x), len(axis.offsets))
    for k in range(folds):
        mine = (fold == k).to(x.device)
        trained = _trained(axis, x[~mine], network, steps, seed * folds + k)
        posterior[fold == k] = torch.cat([trained.posterior(part).cpu() for part in x[mine].split(512)])
    return posterior, fold


def control_gain(axis: PoseAxis, x: Tensor, network: Network | None, steps: int, seed: int) -> float:
    """Gain over chance of a network trained on few examples that reads the same: 0 for discs and blank images."""
    few = x[:CONTROL]
    posterior = _trained(axis, few, network, (steps + 1) // 2, seed).posterior(few)
    return float((posterior[:, posterior.shape[1] // 2] * posterior.shape[1]).clamp(min=1e-6).log().mean())


def _trained(axis: PoseAxis, x: Tensor, network: Network | None, steps: int, seed: int) -> Reader:
    # initial weights, dropout and reading draw from the global state
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        chosen = reader(axis, x, network)
        chosen.network.to(x.device)
        chosen.fit(x, steps, seed)
    return chosen


def _law(posterior: Tensor, fold: Tensor, closed: bool, bootstrap: int, seed: int) -> tuple[ReadOut, LawFit]:
    read = _sharpest(posterior, fold) if closed else _matched(posterior, fold)
    fit = fit_law(read.centre, read.sharpness, fold, law_table(closed, 1.0), bootstrap, seed)
    # posteriors that say nothing still have a maximum, such as a direction of the pixel lattice
    return read, replace(fit, told_apart=told_apart(posterior, closed))


def _sharpest(posterior: Tensor, fold: Tensor) -> ReadOut:
    reads = [read_out(posterior, width, True) for width in CLOSED_FILTERS]
    evidence = [fit_law(read.centre, read.sharpness, fold, law_table(True, 3.0)).evidence for read in reads]
    return reads[max(range(len(reads)), key=lambda i: evidence[i])]


def _matched(posterior: Tensor, fold: Tensor) -> ReadOut:
    # a filter wider than the law would pull poses to the middle of an open window, and look sharper for it
    read = read_out(posterior, OPEN_FILTER, False)
    for _ in range(2):
        fit = fit_law(read.centre, read.sharpness, fold, law_table(False, 3.0))
        read = read_out(posterior, max(fit.half_width, OPEN_FILTER), False)
    return read
