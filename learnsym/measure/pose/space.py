"""The law of poses over all rotations of space.

A network scores how ordinary an example looks, `f(x)`; trained to pick `x` among randomly rotated copies of itself it
learns the density of the data along the orbit (noise contrastive estimation by ranking), and

    r_x(R) ~ exp f(R^-1 x),    normalised over a grid of rotations,

is the probability that `x` looks like an ordinary example moved by `R`. The law is fitted as a ball of rotations by
angles up to `t`. Legend of axes: `B` examples, `K` rotations of the grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym._batches import COPIES as ALIVE
from learnsym._batches import activation_bytes, rows_within
from learnsym._memory import MEMORY
from learnsym.degrees import Degree, Status
from learnsym.groups import SO3
from learnsym.measure._inputs import moving
from learnsym.measure.pose.ground import grounded
from learnsym.measure.pose.interval import half_width_interval
from learnsym.measure.pose.law import NOISES, LawFit, LawTable, fit_law
from learnsym.measure.pose.networks import default_network
from learnsym.measure.pose.reader import LEARNING_RATE, WEIGHT_DECAY, Network
from learnsym.measure.pose.shapes import CELLS, EDGE
from learnsym.parts import Whole
from learnsym.statistics import LEVEL
from learnsym.symmetry import Symmetry, SymmetryLike

GRID = 800
"""Rotations of the grid; neighbours are about 18° apart."""
EXAMPLES, COPIES = 32, 12
"""Examples of a training step, and copies of each: one as it is, the others rotated at random."""
FILTERS = (30.0, 70.0, 120.0)
STEP, DRAWS = 4.0, 20000


@dataclass(frozen=True)
class SpacePosePosterior:
    """The law of poses over rotations of space: a ball of rotations by angles up to `half_width`, in degrees."""

    symmetry: Symmetry
    angle: Float[Tensor, "B"]
    """Angle of the rotation that is read from each held-out example, in degrees."""
    fold: Int[Tensor, "B"]
    fit: LawFit
    half_width: float
    low: float
    high: float
    level: float

    @property
    def is_flat(self) -> bool:
        """Whether nothing tells poses apart on held-out examples."""
        return self.fit.is_flat

    @property
    def flags(self) -> list[str]:
        """What a reader of the half-width must know, one sentence each."""
        return [sentence for _, sentence in self._doubts()]

    @property
    def status(self) -> Status:
        """Whether the half-width can be trusted."""
        statuses: list[Status] = [status for status, _ in self._doubts()]
        return statuses[0] if statuses else "ok"

    @property
    def reason(self) -> str:
        """Why it cannot; empty when it can."""
        return next((sentence for _, sentence in self._doubts()), "")

    def _doubts(self) -> Iterator[tuple[Status, str]]:
        if self.is_flat:
            yield "cannot be learned", "full group, or too few examples or steps to learn from: nothing tells which"
        elif self.low <= 0:
            yield "bound only", "below the natural spread of poses"
        elif self.high >= EDGE:
            yield "bound only", f"nearly full: what a law beyond {self.low:.3g} degree leaves out is hardly seen"

    def degrees(self, data: str = "") -> list[Degree]:
        """The half-width as a degree of distribution symmetry."""
        degree = Degree(
            site="input",
            group=self.symmetry.name,
            generator="rotation",
            unit="degree",
            notion="distribution",
            estimate=self.half_width,
            low=self.low,
            high=self.high,
            level=self.level,
            method="pose posterior on SO(3)",
            data=data,
            status=self.status,
            reason=self.reason,
        )
        return [degree]


def space_pose_posterior(
    x: Whole,
    symmetry: SymmetryLike,
    *,
    network: Network | None = None,
    steps: int = 600,
    folds: int = 2,
    level: float = LEVEL,
    bootstrap: int = 200,
    seed: int = 0,
    memory: float = MEMORY,
) -> SpacePosePosterior:
    """The law of poses of a data set over all rotations of space, without labels.

    Args:
        x: examples, such as point clouds, a tensor or an array.
        symmetry: SO(3) or O(3) and its action, or its name; only proper rotations are tried.
        network: a function of the number of scores (1) that returns a module; chosen by the data when None.
        steps: training steps per fold.
        folds: number of folds; each example is read by a network that has not seen it.
        level: coverage that the interval aims at.
        bootstrap: number of bootstrap replicates.
        seed: of folds, networks and bootstrap.
        memory: limit in GiB for what is computed at a time beside the examples; does not change the result.

    Raises:
        ValueError: when the group is not one of rotations of space, `x` does not fit, or a training step takes more
            than the memory.
    """
    x, symmetry = moving(x, symmetry)
    group = symmetry.group
    if [g.name for g in group.generators] != [g.name for g in SO3().generators]:
        raise ValueError(f"symmetry: got {symmetry.name}, must be SO(3) or O(3); use pose_posterior for one generator")
    symmetry.on_input.check_data(group, x)
    x = grounded(x, symmetry.on_input, shows=False)
    fold = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed)) % folds
    posterior = torch.zeros(len(x), GRID)
    for k in range(folds):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed * folds + k)
            make = network or (lambda bins: default_network(symmetry.on_input, x, bins, closed=True))
            net = make(1).to(x.device)
            rows = rows_of(net, x, memory)
            net = _trained(net, x[fold != k], symmetry, steps)
        posterior[fold == k] = _read(net, x[fold == k], symmetry, rows)
    angle, fit = _law(posterior, fold, bootstrap, seed)
    return SpacePosePosterior(symmetry, angle, fold, fit, *ball_interval(fit, level), level)


def rows_of(net: nn.Module, x: Tensor, memory: float) -> int:
    """How many rotations of an example are read at a time within a limit in GiB.

    Raises:
        ValueError: when a training step takes more.
    """
    return rows_within(ALIVE * activation_bytes(net, x[:1]), memory, GRID, EXAMPLES * COPIES)


def ball_interval(fit: LawFit, level: float) -> tuple[float, float, float]:
    """Estimate, lower and upper end of the half-width in degrees."""
    half_width, low, high = half_width_interval(fit, True, level)
    # a flat law and a network that has learned nothing look alike
    return half_width, 0.0 if fit.is_flat else low, high


def rotations() -> Float[Tensor, "K 3 3"]:
    """A quasi-uniform grid of rotations that starts at the identity."""
    u = torch.quasirandom.SobolEngine(3, scramble=True, seed=0).draw(GRID, dtype=torch.float64)
    a, b = (1 - u[:, 0]).sqrt(), u[:, 0].sqrt()
    first, second = 2 * torch.pi * u[:, 1], 2 * torch.pi * u[:, 2]
    # uniform unit quaternions (Shoemake 1992)
    q = torch.stack([a * first.sin(), a * first.cos(), b * second.sin(), b * second.cos()], -1)
    grid = _matrix(q)
    return grid[0].T @ grid


def _trained(net: nn.Module, x: Tensor, symmetry: Symmetry, steps: int) -> nn.Module:
    optimiser = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for _ in range(steps):
        chosen = x[torch.randint(len(x), (EXAMPLES,), device=x.device)]
        g = SO3().haar(EXAMPLES, COPIES, dtype=x.dtype, device=x.device)
        g[:, 0] = torch.eye(3)
        copies = symmetry.on_input(g.flatten(0, 1), chosen.repeat_interleave(COPIES, 0))
        scores = net(copies).view(EXAMPLES, COPIES)
        optimiser.zero_grad(set_to_none=True)
        (-scores.log_softmax(1)[:, 0].mean()).backward()
        optimiser.step()
        schedule.step()
    return net.eval()


@torch.no_grad()
def _read(net: nn.Module, x: Tensor, symmetry: Symmetry, rows: int) -> Float[Tensor, "B K"]:
    """The posterior over the grid of each example, `rows` of its rotations at a time."""
    parts = rotations().mT.to(x).split(rows)
    scores = [
        torch.cat([net(symmetry.on_input(back, each.expand(len(back), *each.shape))) for back in parts]) for each in x
    ]
    return torch.stack(scores).squeeze(2).softmax(1).cpu()


def _law(posterior: Float[Tensor, "B K"], fold: Tensor, bootstrap: int, seed: int) -> tuple[Tensor, LawFit]:
    grid = rotations()
    lag = _angle(torch.einsum("aji,bjk->abik", grid, grid))
    best: tuple[Tensor, LawFit] | None = None
    for width in FILTERS:
        # a smooth ball as matched filter: a pose close to many likely offsets
        score = posterior @ torch.log(0.9 * torch.sigmoid((width - lag) / 10.0) + 0.1).float().mT
        angle = _angle(grid[score.argmax(1)])
        fit = fit_law(angle, score.max(1).values - score.mean(1), fold, ball_table(), bootstrap, seed)
        if best is None or fit.evidence > best[1].evidence:
            best = angle, fit
    assert best is not None
    return best


@lru_cache(maxsize=1)
def ball_table() -> LawTable:
    """Densities of the angle of `exp(noise) R` with `R` uniform among rotations by angles up to `t`, simulated."""
    random = np.random.default_rng(0)
    half_widths = np.arange(0, EDGE + STEP / 2, STEP)
    u, turn = random.uniform(size=DRAWS), np.linspace(0, np.pi, 2000)
    axis, noise = _unit(random.normal(size=(DRAWS, 3))), random.normal(size=(DRAWS, 3))
    table = np.zeros((len(half_widths), len(NOISES), CELLS))
    for i, half_width in enumerate(half_widths):
        # angles of the ball have density 1 - cos
        angle = np.interp(u * _volume(np.radians([half_width])), _volume(turn), turn)
        for j, scale in enumerate(NOISES):
            product = _product(_quaternion(axis, angle), _quaternion_of_vector(np.radians(scale) * noise))
            seen = np.degrees(2 * np.arccos(np.clip(np.abs(product[:, 0]), 0, 1)))
            table[i, j] = np.histogram(seen, CELLS, (-EDGE, EDGE))[0] + 1e-3
    flat = np.diff(_volume(np.radians(np.linspace(-EDGE, EDGE, CELLS + 1).clip(0)))) + 1e-9
    return LawTable(
        half_widths=torch.from_numpy(half_widths),
        law=torch.from_numpy(table / table.sum(-1, keepdims=True)),
        flipped=None,
        outliers=torch.from_numpy(flat / flat.sum()),
        scales=torch.tensor(NOISES, dtype=torch.float64),
    )


def _volume(angle: np.ndarray) -> np.ndarray:
    return angle - np.sin(angle)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def _quaternion(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.concatenate([np.cos(angle / 2)[:, None], np.sin(angle / 2)[:, None] * axis], 1)


def _quaternion_of_vector(v: np.ndarray) -> np.ndarray:
    return _quaternion(_unit(v), np.linalg.norm(v, axis=-1))


def _product(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    real = p[:, :1] * q[:, :1] - (p[:, 1:] * q[:, 1:]).sum(1, keepdims=True)
    return np.concatenate([real, p[:, :1] * q[:, 1:] + q[:, :1] * p[:, 1:] + np.cross(p[:, 1:], q[:, 1:])], 1)


def _matrix(q: Float[Tensor, "K 4"]) -> Float[Tensor, "K 3 3"]:
    w, v = q[:, :1, None], q[:, 1:]
    outer = v[:, :, None] * v[:, None]
    cross = torch.linalg.cross(torch.eye(3, dtype=q.dtype).expand(len(q), 3, 3), v[:, None].expand(-1, 3, -1), dim=-1)
    square = w.square() - v.square().sum(1)[:, None, None]
    return square * torch.eye(3, dtype=q.dtype) + 2 * outer + 2 * w * cross


def _angle(g: Tensor) -> Tensor:
    trace = g.diagonal(dim1=-2, dim2=-1).sum(-1)
    return torch.rad2deg(torch.arccos(((trace - 1) / 2).clamp(-1, 1)))
