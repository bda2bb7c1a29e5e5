"""Self-consistent reading: the template by which poses are read is the law of the poses that it reads.

On a circle, from several boxes, a template is replaced by the density of its own readings a few times. The one is taken
whose readings are the most predictable: on one half of the examples the density of the other half gains most,

    gain = mean_i log p(c_i),    p the density of the readings of the other half, against a flat one.

No shape of the law is assumed: it may have a gap, two modes or more. A template may be turned as a whole, so the law of
the readings is put in the middle at the end. In an open window readings must not be compared like that, since poses
that are pulled together are more predictable; a narrow box is the template there, which follows every move.

Angles are in degrees of the window. Legend of axes: `N` examples, `G` offsets, `L` lags, `A` angles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.pose.read_out import ReadOut, around, lags_of, read_out
from learnsym.measure.pose.shapes import EDGE, box_density

STARTS = (15.0, 30.0, 60.0, 90.0, 120.0, 150.0)
"""Half-widths of the boxes that reading starts from, on a circle."""
OPEN_BOX = 30.0
"""Half-width of the box that reads in an open window."""
KEPT, ROUNDS = 3, 4
"""Starts that go on, and how often their templates are replaced."""
BLUR, SMOOTH, BANDWIDTH = 15.0, 12.0, 7.5
"""Standard deviations of the edges of a box, and of the kernels of templates and of densities that predict."""
BETTER, BETTER_BY = 3.0, 0.05
"""Standard errors and nats per example by which a template must predict better than a box."""
SURE = 0.05
"""Share of a density that is uniform, when it predicts readings."""
GRID = 360
ROUNDING = 1e-17
"""Share of a kernel's first harmonic below which further ones are left out."""
CHUNK = 4096
"""Readings whose harmonics are in memory at once."""


def aligned(posterior: Float[Tensor, "N G"], closed: bool, seed: int = 0) -> ReadOut:
    """The pose of each example, by a template that agrees with the law of the poses it reads.

    Args:
        posterior: probability of each offset.
        closed: whether the window is a circle.
        seed: of the halves that predict each other.
    """
    lags = lags_of(posterior.shape[1], closed)
    if not closed:
        return read_out(posterior, _box(lags, OPEN_BOX, closed), closed)
    reads = sorted(first_readings(posterior), key=lambda read: gain_of(read.centre, seed), reverse=True)[:KEPT]
    for _ in range(ROUNDS):
        reads += [read_out(posterior, density(read.centre, lags, SMOOTH), closed) for read in reads[-KEPT:]]
    best = max(reads, key=lambda read: gain_of(read.centre, seed))
    return _turned(best if _is_better(best, reads[0], seed) else reads[0])


def first_readings(posterior: Float[Tensor, "N G"]) -> list[ReadOut]:
    """The readings on a circle from which `aligned` starts, by boxes of several half-widths."""
    lags = lags_of(posterior.shape[1], True)
    return [_turned(read_out(posterior, _box(lags, width, True), True)) for width in STARTS]


def by_best_box(posterior: Float[Tensor, "N G"]) -> ReadOut:
    """Readings on a circle, each by the box that fits its example best.

    Where some examples are known within a narrow range and others within a wide one, a narrow template puts the others
    anywhere on the plateau of their posteriors, and a wide one blurs the first.
    """
    lags = lags_of(posterior.shape[1], True)
    return _turned(read_out(posterior, torch.stack([_box(lags, width, True) for width in STARTS]), True))


def density(centre: Float[Tensor, "N"], at: Float[Tensor, "A"], bandwidth: float = BANDWIDTH) -> Float[Tensor, "A"]:
    """Density of readings on the circle by a kernel estimate, up to a factor.

        p(a) = 1/N Σ_i exp(-(a - c_i)² / 2 h²) = h/√(2π) Σ_k exp(-(k h)² / 2) · 1/N Σ_i cos k (a - c_i)

    With `h` in radians; what is left of the series after `K` terms is below rounding, so that the cost is that of
    `N + A` readings and not of all their pairs.

    Args:
        centre: the readings, in degrees.
        at: where the density is asked for, in degrees.
        bandwidth: standard deviation of the kernel, in degrees; small beside half a turn.
    """
    h = math.radians(bandwidth)
    k = torch.arange(1, math.ceil(math.sqrt(-2 * math.log(ROUNDING)) / h) + 1, dtype=torch.float64)
    weight = 2 * torch.exp(-0.5 * (k * h).square())
    # c_i -> 1/N Σ_i exp(i k c_i)
    cosine, sine = _mean_harmonics(centre, k)
    values = [1 + torch.cos(phase) @ (weight * cosine) + torch.sin(phase) @ (weight * sine) for phase in _phases(at, k)]
    return (torch.cat(values).clamp(min=0) * (h / math.sqrt(2 * math.pi))).to(centre)


def _mean_harmonics(centre: Float[Tensor, "N"], k: Float[Tensor, "K"]) -> tuple[Float[Tensor, "K"], Float[Tensor, "K"]]:
    sums = [torch.stack([torch.cos(phase).sum(0), torch.sin(phase).sum(0)]) for phase in _phases(centre, k)]
    cosine, sine = torch.stack(sums).sum(0) / len(centre)
    return cosine, sine


def _phases(angle: Float[Tensor, "N"], k: Float[Tensor, "K"]) -> Iterator[Float[Tensor, "M K"]]:
    """`k a` of some angles after the other, so that memory does not grow with their number."""
    return (torch.deg2rad(part.double())[:, None] * k for part in angle.split(CHUNK))


def gain_of(centre: Float[Tensor, "N"], seed: int = 0) -> float:
    """Mean log density of readings on the circle, in nats above a flat one, where either half predicts the other."""
    return float(_gains(centre, seed).mean())


def in_the_middle(centre: Float[Tensor, "N"]) -> Float[Tensor, "N"]:
    """Readings less the centre about which their law is the most symmetric: the maximiser of `sum_x p(d+x) p(d-x)`."""
    circle = _circle()
    p = density(centre, circle)
    # the convolution of p with itself at twice the centre; angle i of the circle is i - 180 degrees
    twice = float(torch.fft.irfft(torch.fft.rfft(p).square(), GRID).argmax()) - 2 * EDGE
    # that leaves two centres, half a turn apart: the one of more mass is taken
    mass = [float((p * torch.cos(torch.deg2rad(circle - twice / 2 - turn))).sum()) for turn in (0.0, EDGE)]
    return around(centre - twice / 2 - EDGE * (mass[1] > mass[0]))


def _gains(centre: Float[Tensor, "N"], seed: int) -> Float[Tensor, "N"]:
    half = torch.randperm(len(centre), generator=torch.Generator().manual_seed(seed)) % 2
    gains = torch.zeros(len(centre))
    for part in (0, 1):
        known, new = centre[half != part], centre[half == part]
        flat = density(known, _circle()).mean()
        gains[half == part] = ((1 - SURE) * density(known, new) / flat + SURE).log()
    return gains


def _is_better(read: ReadOut, box: ReadOut, seed: int) -> bool:
    # a template of many readings has lumps by chance, and collects further readings there
    more = _gains(read.centre, seed) - _gains(box.centre, seed)
    return float(more.mean()) > max(BETTER * float(more.std()) / len(more) ** 0.5, BETTER_BY)


def _turned(read: ReadOut) -> ReadOut:
    return replace(read, centre=in_the_middle(read.centre))


def _box(lags: Float[Tensor, "L"], width: float, closed: bool) -> Float[Tensor, "L"]:
    return torch.from_numpy(box_density(lags.double().numpy(), width, BLUR, closed)).to(lags)


def _circle() -> Float[Tensor, "A"]:
    return torch.arange(GRID) * (2 * EDGE / GRID) - EDGE
