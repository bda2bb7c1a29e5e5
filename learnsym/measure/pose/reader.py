"""Reader: a network trained to tell by how much examples were moved, and its posterior over the pose of new examples.

A move `g(t)` drawn over the whole range and a network that predicts `t` from `g(t)·x` need no labels. The Bayes
posterior of `t` is the law of poses reflected and shifted to the pose of `x`, so it is flat when the data have full
symmetry. Legend of axes: `B` examples, `G` offsets of the axis, `K` bins of moves.
"""

from __future__ import annotations

import abc
import math
import multiprocessing
from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from tqdm.auto import tqdm

from learnsym._batches import COPIES, activation_bytes, rows_within
from learnsym.actions import Image
from learnsym.measure.pose import polar
from learnsym.measure.pose.axis import CELLS, PoseAxis
from learnsym.measure.pose.networks import default_network

Network = Callable[[int], nn.Module]
BATCH, LEARNING_RATE, WEIGHT_DECAY = 128, 3e-3, 0.03
READ = 512
"""Examples that are read at a time, at most."""


def progress(steps: int) -> Iterable[int]:
    """A bar of training steps, on a terminal; none in a process that another one has started."""
    hidden = True if multiprocessing.parent_process() else None
    return tqdm(range(steps), desc="poses", unit="step", leave=False, disable=hidden)


class Reader(abc.ABC):
    """Learns from examples to read poses; then gives the posterior over the offset of the pose of each new example."""

    @abc.abstractmethod
    def step(self, x: Tensor, generator: torch.Generator) -> Float[Tensor, ""]:
        """Mean log density at the right move of a batch, relative to chance."""

    @abc.abstractmethod
    def posterior(self, x: Tensor, rows: int = READ) -> Float[Tensor, "B G"]:
        """Probability of each offset of the axis: `x` looks like an ordinary example moved by that offset.

        At most `rows` examples are read at a time, which does not change the result.
        """

    @property
    @abc.abstractmethod
    def network(self) -> nn.Module:
        """What is trained."""

    @abc.abstractmethod
    def seen(self, x: Tensor) -> Tensor:
        """Examples as the network sees them, moved by nothing."""

    def bytes_of(self, x: Tensor) -> int:
        """Bytes of examples and of what the network makes of them."""
        return x.numel() * x.element_size() + activation_bytes(self.network, self.seen(x))

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def fit(self, x: Tensor, steps: int, seed: int, known: Int[Tensor, "N"] | None = None) -> None:
        """Train on the examples that are `known`, by number, or on all, with one cycle of the learning rate."""
        count = len(x) if known is None else len(known)
        generator = torch.Generator().manual_seed(seed)
        optimiser = torch.optim.AdamW(self.network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        # a schedule of fewer steps would have no rise
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, LEARNING_RATE, total_steps=max(steps, 6), pct_start=0.2
        )
        self.network.train()
        for _ in progress(steps):
            rows = torch.randint(count, (BATCH,), generator=generator)
            rows = rows if known is None else known[rows]
            optimiser.zero_grad(set_to_none=True)
            (-self.step(x[rows.to(x.device)], generator)).backward()
            optimiser.step()
            schedule.step()
        self.network.eval()


class PolarReader(Reader):
    """Reads rotations of images in polar coordinates: equivariance is exact, so that few examples and steps suffice."""

    def __init__(self, channels: int) -> None:
        self._network = polar.PolarNetwork(channels * polar.RADII)

    @property
    def network(self) -> nn.Module:
        return self._network

    def seen(self, x: Tensor) -> Tensor:
        return polar.polar(x, x.new_zeros(len(x)))

    def step(self, x: Tensor, generator: torch.Generator) -> Float[Tensor, ""]:
        angle = 2 * math.pi * torch.rand(len(x), generator=generator)
        distortion = polar.distortions(len(x), generator)
        scores = self._network(polar.polar(x, angle.to(x), distortion.to(x))).log_softmax(-1)
        return interpolated(scores, angle / (2 * math.pi) * polar.ANGLES).mean() + math.log(polar.ANGLES)

    @torch.no_grad()
    def posterior(self, x: Tensor, rows: int = READ) -> Float[Tensor, "B G"]:
        return torch.cat([self._posterior(part) for part in x.split(rows)])

    def _posterior(self, x: Tensor) -> Float[Tensor, "B G"]:
        finer = CELLS // polar.ANGLES
        columns = []
        for part in range(finer):
            # a move by a fraction of a bin puts the bins between those of the others
            back = torch.full((len(x),), -part / finer * 2 * math.pi / polar.ANGLES).to(x)
            columns.append(self._network(polar.polar(x, back)).log_softmax(-1))
        fine = torch.stack(columns, -1).flatten(1).softmax(-1)
        return fine.roll(CELLS // 2, -1)


class MovedReader(Reader):
    """Reads any generator of any action: a network with one score for each bin of moves."""

    MOVES = 12
    """Moves over which the posterior of an example is averaged."""

    def __init__(self, axis: PoseAxis, x: Tensor, network: Network | None) -> None:
        self.axis = axis
        self.bins = 36 if axis.closed else 33
        make = network or (lambda bins: default_network(axis.symmetry.on_input, x, bins, axis.closed))
        self._network = make(self.bins)

    @property
    def network(self) -> nn.Module:
        return self._network

    def seen(self, x: Tensor) -> Tensor:
        return x

    def step(self, x: Tensor, generator: torch.Generator) -> Float[Tensor, ""]:
        moves = (2 * torch.rand(len(x), generator=generator) - 1) * self.axis.reach
        scores = self._network(self.axis.move(x, moves.to(x.device))).log_softmax(-1)
        return interpolated(scores, self.place(moves), self.axis.closed).mean() + math.log(self.bins)

    def place(self, moves: Tensor) -> Tensor:
        """Position of moves among the bins, the first bin at 0."""
        share = (moves + self.axis.reach) / (2 * self.axis.reach)
        return share * (self.bins if self.axis.closed else self.bins - 1)

    @torch.no_grad()
    def posterior(self, x: Tensor, rows: int = READ) -> Float[Tensor, "B G"]:
        span = 1.0 if self.axis.closed else 0.25
        steps = torch.arange(self.MOVES) + torch.rand(len(x), 1, generator=torch.Generator().manual_seed(len(x)))
        # each example gets its own start, so that what the network prefers anyway shows no common pose
        spread = (steps / self.MOVES * 2 - 1) * span * self.axis.reach
        parts = zip(x.split(rows), spread.split(rows), strict=True)
        return torch.cat([self._posterior(part, moves.T) for part, moves in parts])

    def _posterior(self, x: Tensor, spread: Float[Tensor, "M B"]) -> Float[Tensor, "B G"]:
        offsets = self.axis.offsets
        total = torch.zeros(len(x), len(offsets), device=x.device)
        for move in spread:
            probability = self._network(self.axis.move(x, move.to(x.device))).softmax(-1)
            place = self.place(move[:, None] + offsets)
            total += interpolated(probability, place, self.axis.closed)
        return total / total.sum(-1, keepdim=True)


def reader(axis: PoseAxis, x: Tensor, network: Network | None) -> Reader:
    """The reader for an axis and data: in polar coordinates for rotations of images, else by moving."""
    return PolarReader(x.shape[1]) if network is None and reads_polar(axis) else MovedReader(axis, x, network)


def prepared(axis: PoseAxis, x: Tensor, network: Network | None, rows: int = READ) -> Tensor:
    """Examples as the reader takes them, computed once, so many at a time."""
    if network is not None or not reads_polar(axis):
        return x
    return torch.cat([polar.reduced(part) for part in x.split(rows)])


def rows_read(axis: PoseAxis, x: Tensor, network: Network | None, memory: float) -> int:
    """How many examples are read at a time within a limit in GiB; a training step always takes a batch.

    Raises:
        ValueError: when a training step takes more.
    """
    one = prepared(axis, x[:1], network)
    with torch.random.fork_rng(devices=[]):
        chosen = reader(axis, one, network)
        chosen.network.to(one.device)
        each = chosen.bytes_of(one)
    return rows_within(COPIES * each, memory, READ, BATCH)


def reads_polar(axis: PoseAxis) -> bool:
    """Whether the moves are counter-clockwise rotations of images about the centre."""
    algebra = axis.symmetry.group.algebra[axis.index]
    quarter = torch.zeros_like(algebra)
    quarter[0, 1], quarter[1, 0] = -1.0, 1.0
    return isinstance(axis.symmetry.on_input, Image) and torch.equal(algebra, quarter)


def interpolated(
    table: Float[Tensor, "B K"], place: Float[Tensor, "B"] | Float[Tensor, "B G"], closed: bool = True
) -> Tensor:
    """Entries between the columns of a table, linearly, around the end when `closed`."""
    columns = table.shape[1]
    index = place if place.dim() == 2 else place[:, None]
    low = index.floor()
    weight = (index - low).to(table)
    first, second = low.long().to(table.device), low.long().to(table.device) + 1
    if closed:
        first, second = first % columns, second % columns
    else:
        first, second = first.clamp(0, columns - 1), second.clamp(0, columns - 1)
    value = torch.lerp(table.gather(1, first), table.gather(1, second), weight)
    return value if place.dim() == 2 else value.squeeze(1)
