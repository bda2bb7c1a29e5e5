"""Study: one inference of a law of poses, from training readers to fitting."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.closure import told_apart
from learnsym.measure.pose.deconvolution import deconvolve
from learnsym.measure.pose.interval import is_flat
from learnsym.measure.pose.law import LawFit, fit_law, law_table
from learnsym.measure.pose.order import order_of
from learnsym.measure.pose.posterior import PosePosterior
from learnsym.measure.pose.read_out import CLOSED_FILTERS, OPEN_FILTER, ReadOut, folded, read_out
from learnsym.measure.pose.reader import Network, Reader, prepared, reader

CONTROL = 16
"""Examples that are learned by heart, to see whether the network can read poses of these data at all."""


@dataclass(frozen=True)
class Study:
    """One inference of a law of poses: all that it needs but the examples."""

    axis: PoseAxis
    network: Network | None
    steps: int
    folds: int
    level: float
    bootstrap: int
    seed: int

    def fold(self, count: int) -> Int[Tensor, "N"]:
        """The fold of each example."""
        fold = torch.empty(count, dtype=torch.long)
        fold[torch.randperm(count, generator=torch.Generator().manual_seed(self.seed))] = (
            torch.arange(count) % self.folds
        )
        return fold

    def trained(self, x: Tensor) -> list[Reader]:
        """One reader for each fold, trained on the others."""
        ready, fold = prepared(self.axis, x, self.network), self.fold(len(x)).to(x.device)
        return [
            _trained(self.axis, ready[fold != k], self.network, self.steps, self.seed * self.folds + k)
            for k in range(self.folds)
        ]

    def posterior(self, x: Tensor, readers: list[Reader]) -> Float[Tensor, "N G"]:
        """The posterior of each example, by the reader that has not seen it."""
        ready, fold = prepared(self.axis, x, self.network), self.fold(len(x))
        posterior = torch.zeros(len(x), len(self.axis.offsets))
        for k, trained in enumerate(readers):
            mine = ready[(fold == k).to(x.device)]
            posterior[fold == k] = torch.cat([trained.posterior(part).cpu() for part in mine.split(512)])
        return posterior

    def law(self, x: Tensor, readers: list[Reader]) -> PosePosterior:
        """The law of the poses that the readers find."""
        posterior, fold, closed = self.posterior(x, readers), self.fold(len(x)), self.axis.closed
        order = order_of(posterior) if closed else 1
        read, fit = _law(_folded(posterior, order), fold, closed, self.bootstrap, self.seed)
        law = PosePosterior(
            axis=self.axis,
            posterior=posterior,
            fold=fold,
            order=order,
            read=read,
            fit=fit,
            deconvolution=deconvolve(read.centre, fit, closed, self.seed),
            level=self.level,
        )
        return replace(law, control=self.control(x)) if law.is_flat else law

    def control(self, x: Tensor) -> float:
        """Gain over chance of a network trained on few examples that reads the same: 0 for discs and blank images."""
        few = prepared(self.axis, x[:CONTROL], self.network)
        posterior = _trained(self.axis, few, self.network, (self.steps + 1) // 2, self.seed).posterior(few)
        return float((posterior[:, posterior.shape[1] // 2] * posterior.shape[1]).clamp(min=1e-6).log().mean())

    def finds_again(self, law: PosePosterior, x: Tensor, readers: list[Reader]) -> bool:
        """Whether the readers of a law find one that is no wider in other examples."""
        posterior = self.posterior(x, readers)
        order = order_of(posterior) if self.axis.closed else 1
        if order != law.order:
            return False
        fit = _law(_folded(posterior, order), self.fold(len(x)), self.axis.closed, 0, self.seed)[1]
        return not is_flat(fit) and fit.half_width * law.unit <= law.fitted[2]


def _folded(posterior: Float[Tensor, "N G"], order: int) -> Float[Tensor, "N F"]:
    return folded(posterior, order) if order > 1 else posterior


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
    return read, replace(fit, told_apart=told_apart(posterior, fold, closed))


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
