"""Study: one inference of a law of poses, from training readers to fitting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.measure.pose.alignment import aligned, by_best_box, first_readings
from learnsym.measure.pose.axis import PoseAxis
from learnsym.measure.pose.choice import WEAK, Choice, chosen_law, other_fits
from learnsym.measure.pose.closure import told_apart
from learnsym.measure.pose.order import order_of
from learnsym.measure.pose.posterior import LEARNED, PosePosterior
from learnsym.measure.pose.read_out import ReadOut, folded
from learnsym.measure.pose.reader import READ, Network, Reader, prepared, reader
from learnsym.measure.pose.shapes import EDGE

CONTROL = 16
"""Examples that are learned by heart, to see whether the network can read poses of these data at all."""

STEP = 2.0
"""Degrees of the window between half-widths that are tried."""
KNOWN_MOVE, LEAST_RESPONSE = 1 / 6, 0.7
"""Share of the window by which examples are moved to see how far readings follow, and the least that is put right."""


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
    rows: int = READ
    """Examples that are read at a time; does not change the result."""

    def fold(self, count: int) -> Int[Tensor, "N"]:
        """The fold of each example."""
        fold = torch.empty(count, dtype=torch.long)
        fold[torch.randperm(count, generator=torch.Generator().manual_seed(self.seed))] = (
            torch.arange(count) % self.folds
        )
        return fold

    def trained(self, x: Tensor) -> list[Reader]:
        """One reader for each fold, trained on the others."""
        ready, fold = self.prepared(x), self.fold(len(x))
        known = [(fold != k).nonzero().squeeze(1) for k in range(self.folds)]
        return [
            _trained(self.axis, ready, self.network, self.steps, self.seed * self.folds + k, known[k])
            for k in range(self.folds)
        ]

    def prepared(self, x: Tensor) -> Tensor:
        """Examples as the readers take them."""
        return prepared(self.axis, x, self.network, self.rows)

    def posterior(self, x: Tensor, readers: list[Reader]) -> Float[Tensor, "N G"]:
        """The posterior of each example, by the reader that has not seen it."""
        return self._posterior(x, readers, self.fold(len(x)))

    def _posterior(
        self, x: Tensor, readers: list[Reader], fold: Int[Tensor, "N"], move: float = 0.0
    ) -> Float[Tensor, "N G"]:
        """The posterior of each example, moved by a coordinate of the axis."""
        posterior = torch.zeros(len(x), len(self.axis.offsets))
        for k, trained in enumerate(readers):
            for known in (fold == k).nonzero().squeeze(1).split(READ):
                parts = (self._moved(x[part.to(x.device)], move) for part in known.split(self.rows))
                ready = torch.cat([self.prepared(part) for part in parts])
                posterior[known] = trained.posterior(ready, self.rows).cpu()
        return posterior

    def _moved(self, x: Tensor, move: float) -> Tensor:
        return self.axis.move(x, x.new_full((len(x),), move)) if move else x

    def law(self, x: Tensor, readers: list[Reader]) -> PosePosterior:
        """The law of the poses that the readers find."""
        return self._law(x, readers, self.fold(len(x)))

    def first_look(self, x: Tensor) -> PosePosterior:
        """The law of the examples of the first fold alone, by one reader with half of the steps."""
        fold = self.fold(len(x)).to(x.device)
        known, read = self.prepared(x[fold != 0]), x[fold == 0]
        one = _trained(self.axis, known, self.network, (self.steps + 1) // 2, self.seed * self.folds)
        return self._law(read, [one], torch.zeros(len(read), dtype=torch.long))

    def _law(self, x: Tensor, readers: list[Reader], fold: Int[Tensor, "N"]) -> PosePosterior:
        posterior = self._posterior(x, readers, fold)
        order, response = self.order(posterior), self._response(x, readers, fold)
        period = _folded(posterior, order)
        read = aligned(period, self.axis.closed, self.seed)
        read = replace(read, centre=read.centre / response)
        choice = self._choice(period, read, fold, order, STEP, self.bootstrap)
        if choice.form == "two ranges":
            read, choice = self._of_two_ranges(period, read, choice, fold, order)
        law = PosePosterior(
            axis=self.axis,
            posterior=posterior,
            fold=fold,
            order=order,
            read=read,
            choice=choice,
            level=self.level,
            response=response,
        )
        return replace(law, control=self.control(x)) if law.is_flat else law

    def order(self, posterior: Float[Tensor, "N G"]) -> int:
        """The order of the law; 1 in an open window."""
        return order_of(posterior) if self.axis.closed else 1

    def _choice(
        self,
        period: Float[Tensor, "N F"],
        read: ReadOut,
        fold: Int[Tensor, "N"],
        order: int,
        step: float,
        bootstrap: int,
    ) -> Choice:
        """The shape that the readings of posteriors prefer, and its fit."""
        closed = self.axis.closed
        # posteriors that say nothing still have a maximum, such as a direction of the pixel lattice
        apart = told_apart(period, fold, closed)
        options: dict[str, Any] = {"order": order, "apart": apart, "bootstrap": bootstrap, "seed": self.seed}
        choice = chosen_law(read, fold, closed, step, **options)
        if not closed or choice.fit.is_flat or choice.fit.evidence > WEAK:
            return choice
        return replace(choice, others=tuple(other_fits(first_readings(period), fold, 2 * step, order)))

    def _of_two_ranges(
        self, period: Float[Tensor, "N F"], read: ReadOut, choice: Choice, fold: Int[Tensor, "N"], order: int
    ) -> tuple[ReadOut, Choice]:
        """Two ranges, read again by a box for each example, where that prefers them too."""
        again = by_best_box(period)
        found = self._choice(period, again, fold, order, STEP, self.bootstrap)
        if found.form != choice.form:
            return read, choice
        return again, replace(found, others=(choice.fit,))

    def _response(self, x: Tensor, readers: list[Reader], fold: Int[Tensor, "N"]) -> float:
        """How far readings follow when held-out examples are moved by a sixth of the window, as a share of the move.

        On circles readings follow by construction. In an open window they lag behind where moves blur, and the law
        would look narrower than it is.
        """
        if self.axis.closed:
            return 1.0
        moves = (sign * KNOWN_MOVE * self.axis.window for sign in (-1.0, 1.0))
        first, second = (aligned(self._posterior(x, readers, fold, move), False).centre for move in moves)
        return min(max(float((second - first).mean()) / (2 * KNOWN_MOVE * EDGE), LEAST_RESPONSE), 1 / LEAST_RESPONSE)

    def control(self, x: Tensor) -> float:
        """Gain over chance of a network trained on few examples that reads the same: 0 for discs and blank images.

        With half of the steps, and again with all where it learned nothing: some networks are slow to start.
        """
        few = prepared(self.axis, x[:CONTROL], self.network)
        gain = self._learned(few, (self.steps + 1) // 2)
        return gain if gain >= LEARNED else self._learned(few, self.steps)

    def _learned(self, few: Tensor, steps: int) -> float:
        posterior = _trained(self.axis, few, self.network, steps, self.seed).posterior(few)
        return float((posterior[:, posterior.shape[1] // 2] * posterior.shape[1]).clamp(min=1e-6).log().mean())

    def finds_again(self, law: PosePosterior, x: Tensor, readers: list[Reader]) -> bool:
        """Whether the readers of a law find one that is no wider in other examples, and two ranges where it has two."""
        posterior = self.posterior(x, readers)
        order = self.order(posterior)
        if order != law.order:
            return False
        period = _folded(posterior, order)
        read, fold = aligned(period, self.axis.closed, self.seed), self.fold(len(x))
        choice = self._choice(period, read, fold, order, 2 * STEP, 0)
        if law.form == "two ranges" and choice.form != law.form:
            return False
        return not choice.fit.is_flat and choice.fit.half_width * law.unit <= law.fitted[2]


def _folded(posterior: Float[Tensor, "N G"], order: int) -> Float[Tensor, "N F"]:
    return folded(posterior, order) if order > 1 else posterior


def _trained(
    axis: PoseAxis,
    x: Tensor,
    network: Network | None,
    steps: int,
    seed: int,
    known: Int[Tensor, "N"] | None = None,
) -> Reader:
    # initial weights, dropout and reading draw from the global state
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        chosen = reader(axis, x, network)
        chosen.network.to(x.device)
        chosen.fit(x, steps, seed, known)
    return chosen
