"""Shapes of laws of poses and kernels of reading errors, as densities on the cells of the window.

    p(c) = (P * K)(c),    P the law of poses, K the law of the error of a reading

`P` is uniform on `[-t, t]`, or normal with the standard deviation `t / sqrt(3)` that a uniform law of half-width `t`
has; `K` is normal or Laplace with standard deviation `s`: light tails or heavy ones. Angles are in degrees of the
window: 180 is its edge. Legend of axes: `T` half-widths, `S` scales, `C` cells, `F` points of a fine grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import scipy

EDGE = 180.0
CELLS = 120
FINE = 1.0
"""Degrees between points of the grid on which densities are convolved."""
LEAST = 0.5
"""Half-width in degrees of what is drawn for a law of half-width 0."""

Shape = Literal["uniform", "normal"]
Kernel = Literal["normal", "Laplace"]


def cell_centres() -> np.ndarray:
    """Centres of the cells of poses, in degrees of the window."""
    return (np.arange(CELLS) + 0.5) * (2 * EDGE / CELLS) - EDGE


def box_density(c: np.ndarray, half_width: np.ndarray | float, noise: np.ndarray | float, closed: bool) -> np.ndarray:
    """Density at `c` of `U(-half_width, half_width)` plus normal noise, wrapped around the circle when `closed`."""
    h = np.maximum(half_width, LEAST)
    turns = range(-2, 3) if closed else range(1)
    shifted = [c + 2 * EDGE * turn for turn in turns]
    return np.sum(
        [(scipy.special.ndtr((z + h) / noise) - scipy.special.ndtr((z - h) / noise)) / (2 * h) for z in shifted], 0
    )


def cell_probabilities(
    shape: Shape, half_widths: np.ndarray, kernel: Kernel, scales: np.ndarray, closed: bool
) -> np.ndarray:
    """Probability of each cell under the law of a shape, read with errors; given that an open window holds it.

    Args:
        shape: of the law.
        half_widths: of the law, or of the uniform law of the same standard deviation.
        kernel: of the errors.
        scales: their standard deviations.
        closed: whether the window is a circle.

    Returns:
        Array `(T, S, C)` that sums to 1 over cells.
    """
    # an open window takes in what errors bring from both sides of it
    span = EDGE if closed else 3 * EDGE
    edges = np.arange(-span, span, FINE)
    points = edges + FINE / 2
    laws = np.stack([_SHAPES[shape](points, width, closed) for width in half_widths])
    # an error of 0 comes first, so that the convolution moves nothing
    errors = np.stack([np.roll(_KERNELS[kernel](edges, scale, closed), len(edges) // 2) for scale in scales])
    product = np.fft.rfft(laws)[:, None] * np.fft.rfft(errors)
    fine = np.fft.irfft(product, len(points)).clip(1e-12)
    inside = fine[..., np.abs(points) < EDGE]
    cells = inside.reshape(*inside.shape[:2], CELLS, -1).sum(-1)
    return cells / cells.sum(-1, keepdims=True)


def errors_between(kernel: Kernel, scale: float, closed: bool) -> np.ndarray:
    """Probability of each cell when the pose is the middle of another: array `(C, C)`, columns sum to 1."""
    lag = cell_centres()[:, None] - cell_centres()
    within = np.linspace(-1, 1, 5) * EDGE / CELLS
    cells = np.mean([_KERNELS[kernel](lag + part, scale, closed) for part in within], 0)
    return cells / cells.sum(0)


def wrapped(density: Callable[[np.ndarray], np.ndarray], points: np.ndarray, closed: bool) -> np.ndarray:
    """A density on the line, summed over the turns of the circle when `closed`."""
    return np.sum([density(points + 2 * EDGE * turn) for turn in (range(-3, 4) if closed else range(1))], 0)


def _uniform(points: np.ndarray, half_width: float, closed: bool) -> np.ndarray:
    return box_density(points, half_width, FINE / 2, closed)


def _bell(points: np.ndarray, scale: float, closed: bool) -> np.ndarray:
    return wrapped(lambda z: np.exp(-0.5 * (z / scale) ** 2), points, closed)


def _normal(points: np.ndarray, half_width: float, closed: bool) -> np.ndarray:
    return _bell(points, max(half_width, LEAST) / math.sqrt(3), closed)


def _laplace(points: np.ndarray, scale: float, closed: bool) -> np.ndarray:
    # a Laplace law of rate r has the standard deviation sqrt(2) / r
    return wrapped(lambda z: np.exp(-math.sqrt(2) * np.abs(z) / scale), points, closed)


_SHAPES = {"uniform": _uniform, "normal": _normal}
_KERNELS = {"normal": _bell, "Laplace": _laplace}
