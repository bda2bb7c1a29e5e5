"""The generator of a planar or spatial group on images and volumes: minus the derivative along its velocity field.

    (A x)(u) = d/dt x(exp(-tG) u) at t = 0 = -v(u)·∇x(u),    v(u) = G u

Coordinates are those of `actions.warp`: isotropic, the origin in the centre, x right, y up, z along the slices.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from learnsym.actions._lattice import AXIS_SIGN
from learnsym.actions.warp import PADDINGS

Derivative = Literal["spectral", "central", "bilinear"]
_PAD = {"zeros": "constant", "border": "replicate", "reflection": "reflect"}


def flow(
    x: Float[Tensor, "B C *S"], generator: Float[Tensor, "n n"], derivative: Derivative, padding: str
) -> Float[Tensor, "B C *S"]:
    """The generator applied to images `(B, C, H, W)` or volumes `(B, C, D, H, W)`.

    Args:
        x: what is moved.
        generator: matrix of the Lie algebra, linear or homogeneous.
        derivative: `spectral` (of the band-limited periodic image, exact for circular convolutions), `central`
            differences, or `bilinear`, the derivative of bilinear interpolation at t = 0+.
        padding: what lies outside for differences: `zeros`, `border` or `reflection`; `spectral` is periodic.

    Returns:
        `d/dt exp(tG)·x` at 0, of the shape of `x`.
    """
    work = x if x.dtype == torch.float64 else x.float()
    moved = torch.zeros_like(work)
    for place, speed in enumerate(velocity(generator, x.shape[2:], work)):
        if bool(speed.any()):
            moved = moved - _along(work, speed, -1 - place, derivative, padding)
    return moved.to(x.dtype)


def velocity(generator: Tensor, shape: torch.Size | tuple[int, ...], like: Tensor) -> list[Tensor]:
    """Velocity of each pixel in pixels along x, y, z, one tensor of the size of the image for each."""
    d, side = len(shape), min(shape)
    lines = [
        torch.arange(1 - size, size, 2, dtype=torch.float64) * (AXIS_SIGN[place] / side)
        for place, size in enumerate(reversed(shape))
    ]
    where = torch.stack(torch.meshgrid(*reversed(lines), indexing="ij")[::-1], -1)
    g = generator.double().cpu()
    speed = where @ g[:d, :d].mT + (g[:d, d] if g.shape[-1] > d else 0)
    return [(speed[..., place] * (AXIS_SIGN[place] * side / 2)).to(like) for place in range(d)]


def _along(x: Tensor, speed: Tensor, dim: int, derivative: Derivative, padding: str) -> Tensor:
    """`speed` times the derivative per pixel along `dim`."""
    if derivative == "spectral":
        return speed * spectral_derivative(x, dim)
    before, after = _neighbours(x, dim, padding)
    if derivative == "central":
        return speed * (after - before) / 2
    # what moves to the right is read from the left
    return speed.clamp(min=0) * (x - before) + speed.clamp(max=0) * (after - x)


def spectral_derivative(x: Tensor, dim: int) -> Tensor:
    """Derivative per pixel of the trigonometric interpolant along one axis; the Nyquist wave has none."""
    size = x.shape[dim]
    k = torch.arange(size // 2 + 1, dtype=x.dtype, device=x.device)
    if size % 2 == 0:
        k[-1] = 0
    shape = [-1 if axis == x.ndim + dim else 1 for axis in range(x.ndim)]
    waves = torch.fft.rfft(x, dim=dim)
    return torch.fft.irfft(torch.complex(-waves.imag, waves.real) * (k * (2 * math.pi / size)).view(shape), size, dim)


def _neighbours(x: Tensor, dim: int, padding: str) -> tuple[Tensor, Tensor]:
    """For each pixel the one before and the one after along `dim`."""
    line = x.movedim(dim, -1)
    flat = line.reshape(1, -1, line.shape[-1])
    if padding == "reflection":
        # about the edge of the outermost pixel, as the warp reflects
        padded = torch.cat([flat[..., :1], flat, flat[..., -1:]], -1)
    else:
        padded = F.pad(flat, (1, 1), mode=_PAD[padding])
    before, after = padded[..., :-2].reshape(line.shape), padded[..., 2:].reshape(line.shape)
    return before.movedim(-1, dim), after.movedim(-1, dim)


def check_derivative(derivative: str, padding: str = "zeros") -> None:
    """Both must be known."""
    if derivative not in get_args(Derivative):
        raise ValueError(f"derivative: got {derivative!r}, must be one of {', '.join(get_args(Derivative))}")
    if padding not in PADDINGS:
        raise ValueError(f"padding: got {padding!r}, must be one of {', '.join(PADDINGS)}")
