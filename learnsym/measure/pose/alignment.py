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
GRID, CELLS = 360, 1440
"""Points of the circle on which a density is looked at, and on which it is made."""


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


def density(centre: Float[Tensor, "N"], at: Float[Tensor, "A"], bandwidth: float = BANDWIDTH) -> Float[Tensor, "A"]:
    """Density of readings on the circle by a kernel estimate, up to a factor, in time linear in their number.

    Readings are shared between the two nearest of `CELLS` points, their counts convolved with the kernel, and the
    result interpolated: with a bandwidth of 30 points and more that differs by less than a thousandth (Silverman 1982,
    Applied Statistics 31).
    """
    mass = torch.zeros(CELLS, dtype=torch.float64)
    first, second, share = _between(centre)
    mass.index_add_(0, first, 1 - share).index_add_(0, second, share)
    distance = around(torch.arange(CELLS, dtype=torch.float64) * (2 * EDGE / CELLS))
    kernel = torch.exp(-0.5 * (distance / bandwidth).square())
    smooth = torch.fft.irfft(torch.fft.rfft(mass) * torch.fft.rfft(kernel), CELLS).clamp(min=0) / len(centre)
    first, second, share = _between(at)
    return torch.lerp(smooth[first], smooth[second], share).to(centre)


def _between(angle: Float[Tensor, "A"]) -> tuple[Tensor, Tensor, Tensor]:
    place = angle.double() * (CELLS / (2 * EDGE))
    low = place.floor()
    return low.long() % CELLS, (low.long() + 1) % CELLS, place - low


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
