"""smoke: a simulated plume on a torus, whose rotational symmetry buoyancy breaks by a stated amount.

Legend of axes: `B` simulations, `T` frames, `n` pixels along an axis; channels are smoke and vorticity.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.seeding import generator

VISCOSITY, DIFFUSION = 0.002, 0.001
SUBSTEPS = 8


def smoke(
    n: int,
    frames: int,
    buoyancy: float,
    *,
    size: int = 32,
    seed: int = 0,
    stretch: float = 1.0,
    turned: bool = False,
    dt: float = 0.25,
) -> Float[Tensor, "B T 2 n n"]:
    """Smoke `s` and vorticity `ω` of a Boussinesq flow with periodic borders, frame by frame.

        ∂s/∂t = -u·∇s + κ Δs,    ∂ω/∂t = -u·∇ω + ν Δω + b ∂s/∂x,    u = ∇^⊥ Δ^-1 ω

    Both are scalars under rotations. Without buoyancy `b` the law commutes with all quarter turns, exactly on the grid,
    and with translations always; `b` pushes smoke upwards and breaks the turns in proportion. See `smoke_step`.

    Initial states are random smooth fields. With `stretch` above 1 their structures are longer along x than along y, so
    that data do not cover all orientations; `turned` turns initial states (not the law) by 90°.

    Args:
        n: number of simulations.
        frames: frames of each.
        buoyancy: `b`.
        size: pixels along an axis.
        seed: determines the initial states.
        stretch: ratio of lengths of structures along x and y.
        turned: whether initial states are turned by 90°.
        dt: time from frame to frame; the torus has length 2π and speeds are near 1.

    Raises:
        ValueError: for counts below 1, an odd size or one below 8, or a stretch that is not positive.

    Example:
        >>> ls.data.smoke(2, 3, buoyancy=1.0, size=16).shape
        torch.Size([2, 3, 2, 16, 16])
    """
    if n < 1 or frames < 1 or size < 8 or size % 2 or stretch <= 0 or dt <= 0:
        raise ValueError(
            f"n, frames, size, stretch, dt: got {n}, {frames}, {size}, {stretch}, {dt}, must be at least 1, 1, an even "
            f"number from 8, and above 0; smoke(16, 20, buoyancy=0.5) is usual"
        )
    state = _initial(n, size, seed, stretch)
    state = state.rot90(1, (2, 3)) if turned else state
    states = [state]
    for _ in range(frames - 1):
        states.append(smoke_step(states[-1], buoyancy, dt))
    return torch.stack(states, 1).float()


def smoke_step(state: Float[Tensor, "B 2 n n"], buoyancy: float, dt: float = 0.25) -> Float[Tensor, "B 2 n n"]:
    """The true law from one frame to the next: pseudo-spectral, fourth-order Runge-Kutta, two thirds dealiased.

    Apply `measure.equivariance_error` to it for the planted degree of symmetry.

    Reference: Canuto, Hussaini, Quarteroni, Zang, "Spectral methods in fluid dynamics" (1988).

    Example:
        >>> x = ls.data.smoke(1, 1, buoyancy=0.0, size=16)[:, 0].double()
        >>> turned = ls.data.smoke_step(x.rot90(1, (2, 3)), buoyancy=0.0).rot90(-1, (2, 3))
        >>> torch.allclose(turned, ls.data.smoke_step(x, buoyancy=0.0))
        True
    """
    mask = _kept(state.shape[-1])
    waves = torch.fft.fft2(state.double()) * mask
    kx, ky = _wave_numbers(state.shape[-1])
    squared = kx**2 + ky**2
    decay = torch.stack([DIFFUSION * squared, VISCOSITY * squared])
    h = dt / SUBSTEPS

    def rate(y: Tensor) -> Tensor:
        return _rate(y, kx, ky, squared, buoyancy) * mask - decay * y

    for _ in range(SUBSTEPS):
        a = rate(waves)
        b = rate(waves + h / 2 * a)
        c = rate(waves + h / 2 * b)
        d = rate(waves + h * c)
        waves = waves + h / 6 * (a + 2 * b + 2 * c + d)
    return torch.fft.ifft2(waves).real.to(state.dtype)


def stream_function(vorticity: Float[Tensor, "*B n n"]) -> Float[Tensor, "*B n n"]:
    """`ψ = Δ^-1 ω` with mean 0: its derivatives are the velocity, `u = (-∂ψ/∂y, ∂ψ/∂x)`.

    Example:
        >>> ls.data.stream_function(torch.rand(16, 16)).shape
        torch.Size([16, 16])
    """
    kx, ky = _wave_numbers(vorticity.shape[-1])
    squared = (kx**2 + ky**2).clamp(min=1)
    waves = torch.fft.fft2(vorticity.double()) / -squared
    waves[..., 0, 0] = 0
    return torch.fft.ifft2(waves).real.to(vorticity.dtype)


def _rate(waves: Tensor, kx: Tensor, ky: Tensor, squared: Tensor, buoyancy: float) -> Tensor:
    """`-u·∇(s, ω) + (0, b ∂s/∂x)` in Fourier space."""
    stream = -waves[:, 1] / squared.clamp(min=1)
    velocity = torch.stack([-1j * ky * stream, 1j * kx * stream], 1)
    u, v = torch.fft.ifft2(velocity).real.unbind(1)
    along_x, along_y = torch.fft.ifft2(1j * kx * waves).real, torch.fft.ifft2(1j * ky * waves).real
    carried = torch.fft.fft2(u[:, None] * along_x + v[:, None] * along_y)
    lift = buoyancy * 1j * kx * waves[:, 0]
    return torch.stack([torch.zeros_like(lift), lift], 1) - carried


def _wave_numbers(size: int) -> tuple[Tensor, Tensor]:
    """Wave numbers along x, to the right, and y, up."""
    k = torch.fft.fftfreq(size, dtype=torch.float64) * size
    return k[None, :], -k[:, None]


def _kept(size: int) -> Tensor:
    """Waves below two thirds of the highest, whose products do not alias."""
    kx, ky = _wave_numbers(size)
    return (kx.abs() < size / 3) & (ky.abs() < size / 3)


def _initial(n: int, size: int, seed: int, stretch: float) -> Float[Tensor, "B 2 n n"]:
    """Random fields with structures of about a sixth of the torus: smoke from 0 to about 1, vorticity of size 1."""
    kx, ky = _wave_numbers(size)
    squared = kx**2 * stretch + ky**2 / stretch
    noise = torch.randn(n, 2, size, size, dtype=torch.float64, generator=generator(seed, 41))
    envelope = (-squared / (2 * 2.5**2)).exp() * (squared > 0)
    field = torch.fft.ifft2(torch.fft.fft2(noise) * envelope).real
    field = field / field.square().mean((-1, -2), keepdim=True).sqrt()
    smoke = (field[:, :1] / math.sqrt(2)).sigmoid()
    return torch.cat([smoke, 2.0 * field[:, 1:]], 1)
