"""The law of poses free of assumptions: non-parametric maximum likelihood on a grid of poses.

    max over P of  sum_i log sum_a P(a) k_i(c_i - a)

with `k_i` the kernel of the stratum of example `i`: noise, flips and outliers of the parametric fit. Expectation
maximisation converges to the maximum (Laird 1978). The scale of the noise is the largest that held-out poses allow,
which gives the sharpest law that the data support. Legend of axes: `C` cells, `A` atoms (one per cell), `K` strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.pose.law import LawFit, cells_of
from learnsym.measure.pose.shapes import CELLS, EDGE, cell_centres, errors_between

SCALES = (1.0, 0.7, 0.5, 0.35)
"""Multiples of the fitted noise that are tried."""
ITERATIONS = 200
ALIKE = 2.0
"""Standard errors of held-out log likelihood within which noise scales count as equal."""
MODE_GAP, MODE_MASS = 0.2, 0.05


@dataclass(frozen=True)
class Deconvolution:
    """The law of poses on a grid, in degrees of the window."""

    mass: Float[Tensor, "A"]
    """Probability of each cell."""
    noise: float
    """Standard deviation of the noise that was removed, a mean over strata."""
    advantage: float
    """Held-out log likelihood per example, less that of the parametric law."""
    advantage_stderr: float

    @property
    def smooth(self) -> Float[Tensor, "A"]:
        """The law seen through half of the noise that was removed: what figures show."""
        return torch.from_numpy(errors_between("normal", max(self.noise / 2, 2.0), True)) @ self.mass

    @property
    def extent(self) -> float:
        """Half the length of the shortest arc that holds 90 % of the law."""
        return extent_of(self.smooth)

    def modes(self) -> list[tuple[float, float]]:
        """Separate modes as pairs of position and mass, in the order of position."""
        return modes_of(self.smooth)


def npmle(counts: Float[Tensor, "K C"], kernels: Float[Tensor, "K C A"]) -> Float[Tensor, "A"]:
    """The law that maximises the likelihood of counted poses.

    Args:
        counts: number of poses in each cell, by stratum.
        kernels: probability of a cell given an atom, by stratum.
    """
    seen, flat = counts.flatten(), kernels.flatten(0, 1)
    flat, seen = flat[seen > 0], seen[seen > 0]
    mass = torch.full((flat.shape[1],), 1 / flat.shape[1], dtype=torch.float64)
    for _ in range(ITERATIONS):
        mass = mass * (flat.mT @ (seen / (flat @ mass))) / seen.sum()
    return mass


def deconvolve(centre: Float[Tensor, "N"], fit: LawFit, closed: bool, seed: int = 0) -> Deconvolution:
    """The non-parametric law of the poses that `fit` describes, and how much better it predicts held-out poses.

    Args:
        centre: pose of each example in degrees of the window.
        fit: the parametric law.
        closed: whether the window is a circle.
        seed: of the split into halves.
    """
    cells = cells_of(centre)
    half = torch.randperm(len(cells), generator=torch.Generator().manual_seed(seed)) % 2
    kernels = {scale: _kernels(fit, scale, closed) for scale in SCALES}
    held_out = {scale: _held_out(cells, fit, half, kernel) for scale, kernel in kernels.items()}
    best = max(held_out, key=lambda scale: float(held_out[scale].mean()))
    scale = next(s for s in SCALES if not _worse(held_out[s], held_out[best]))
    mass = npmle(_counts(cells, fit, torch.ones_like(half, dtype=torch.bool)), kernels[scale])
    gain = held_out[best] - _parametric(cells, fit)
    return Deconvolution(mass, scale * fit.noise, float(gain.mean()), float(gain.std()) / len(gain) ** 0.5)


def modes_of(density: Float[Tensor, "A"]) -> list[tuple[float, float]]:
    """Stretches of a circular density above a fifth of its maximum, as pairs of centre and mass."""
    inside = density > MODE_GAP * density.max()
    if bool(inside.all()):
        return [(0.0, 1.0)]
    start = int((~inside).nonzero()[0])
    order = (torch.arange(len(density)) + start) % len(density)
    centres, modes, run = torch.from_numpy(cell_centres()), [], []
    for index in [*order.tolist(), start]:
        if inside[index]:
            run.append(index)
        elif run:
            modes.append(_mode(density[run], centres[run]))
            run = []
    total = float(density.sum())
    return sorted((c, m / total) for c, m in modes if m > MODE_MASS * total)


def extent_of(density: Float[Tensor, "A"], share: float = 0.9) -> float:
    """Half the length, in degrees of the window, of the shortest arc that holds a share of a circular density."""
    mass = torch.cat([torch.zeros(1, dtype=density.dtype), torch.cat([density, density]).cumsum(0)]) / density.sum()
    starts = torch.arange(len(density))
    ends = torch.searchsorted(mass, mass[starts] + share - 1e-9)
    return float((ends - starts).min()) * EDGE / len(density)


def _mode(density: Tensor, angle: Tensor) -> tuple[float, float]:
    mean = torch.exp(1j * torch.deg2rad(angle)) @ density.to(torch.complex128)
    return float(torch.rad2deg(torch.angle(mean))), float(density.sum())


def _worse(value: Tensor, best: Tensor) -> bool:
    difference = best - value
    return bool(difference.mean() > ALIKE * difference.std() / len(value) ** 0.5)


def _held_out(cells: Tensor, fit: LawFit, half: Tensor, kernels: Tensor) -> Float[Tensor, "N"]:
    value, names = torch.zeros(len(cells), dtype=torch.float64), fit.strata.unique()
    for part in (0, 1):
        mass = npmle(_counts(cells, fit, half != part), kernels)
        density = (kernels @ mass).log()
        rows = half == part
        value[rows] = density[torch.searchsorted(names, fit.strata[rows]), cells[rows]]
    return value


def _parametric(cells: Tensor, fit: LawFit) -> Float[Tensor, "N"]:
    chosen = [int(stratum.log_likelihood[fit.best].argmax()) for stratum in fit.fits]
    table = torch.stack([stratum.log_density[fit.best, c] for stratum, c in zip(fit.fits, chosen, strict=True)])
    return table[torch.searchsorted(fit.strata.unique(), fit.strata), cells]


def _counts(cells: Tensor, fit: LawFit, rows: Tensor) -> Float[Tensor, "K C"]:
    parts = [cells[(fit.strata == stratum) & rows] for stratum in fit.strata.unique()]
    return torch.stack([torch.bincount(part, minlength=CELLS).double() for part in parts])


def _kernels(fit: LawFit, scale: float, closed: bool) -> Float[Tensor, "K C A"]:
    kernels = []
    for stratum, (name, noise) in zip(fit.fits, fit.kernels, strict=True):
        chosen = int(stratum.log_likelihood[fit.best].argmax())
        wide, flipped, outliers, *narrow = stratum.weights[fit.best, chosen].tolist()
        kernel = torch.from_numpy(errors_between(name, scale * noise, closed))
        kernels.append((wide + sum(narrow)) * kernel + flipped * kernel.roll(CELLS // 2, 0) + outliers / CELLS)
    return torch.stack(kernels)
