"""Fourier transforms of real functions on the sphere and on SO(3), to and from coefficients.

    f(R) = Σ_lmn h_lmn √(2l + 1) conj D^l_mn(R),    D^l_mn(α, β, γ) = exp(-i m α) d^l_mn(β) exp(-i n γ)

orthonormal under the Haar measure of volume 1. A function on the sphere is one that does not depend on `γ`, `n = 0`. A
rotation `(g·f)(R) = f(g^-1 R)` acts as `h_lmn -> Σ_k D^l_mk(g) h_lkn`: on `m` alone. Of a real function the
coefficients with `m < 0` follow from the others, `h_l,-m,-n = (-1)^(m - n) conj h_lmn`, and are not kept.

Reference: Cohen, Geiger, Köhler, Welling, "Spherical CNNs" (2018), arXiv 1801.10130; Kostelec and Rockmore, "FFTs on
the rotation group" (2008).

Legend of axes: `B` batch, `C` channels, `H`, `W` pixels, `α`, `β`, `γ` Euler angles, `l`, `m` from 0, `n` from `1 - N`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from learnsym.distributions import full_precision
from learnsym.equivariant.constant import Constant
from learnsym.representations import check_band_limit, colatitudes, latitude_weights, small_d


class S2Transform(nn.Module):
    """Coefficients of pictures on the sphere, and pictures of coefficients.

        f_lm = √(2l + 1) Σ_j w_j d^l_m0(θ_j) 1/W Σ_k f(θ_j, φ_k) exp(-i m φ_k)

    Exact for functions of degree below the band limit; of others it is the projection up to aliasing.

    Args:
        height, width: pixels of the pictures, rows from pole to pole.
        band_limit: number `b` of degrees, at most `H/2` and `(W + 1)/2`.

    Raises:
        ValueError: when the pictures are too coarse for the band limit.

    Example:
        >>> transform = ls.equivariant.S2Transform(8, 8, band_limit=4)
        >>> transform(torch.ones(1, 1, 8, 8))[0, 0, 0, 0].real.round()  # the mean
        tensor(1.)
    """

    def __init__(self, height: int, width: int, band_limit: int) -> None:
        super().__init__()
        check_band_limit(band_limit, height, width)
        self.height, self.width, self.band_limit = height, width, band_limit
        harmonics = _scaled(small_d(band_limit, colatitudes(height)))[..., band_limit - 1 :, band_limit - 1]
        self.harmonics = Constant(harmonics)
        self.weighted = Constant(latitude_weights(height)[:, None, None] * harmonics)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Complex[Tensor, "B C l m"]:
        """Coefficients of pictures."""
        if x.shape[-2:] != (self.height, self.width):
            raise ValueError(
                f"x: got pictures of {x.shape[-2]}x{x.shape[-1]}, the transform is for {self.height}x{self.width}; "
                "resize them, or make another one"
            )
        with full_precision(x.device):
            f = torch.fft.rfft(_wide(x), dim=-1, norm="forward")[..., : self.band_limit]
            return _summed("bcjm,jlm->bclm", f, self.weighted())

    def inverse(self, f: Complex[Tensor, "B C l m"]) -> Float[Tensor, "B C H W"]:
        """Pictures of coefficients."""
        with full_precision(f.device):
            rows = _summed("bclm,jlm->bcjm", f, self.harmonics())
            return torch.fft.irfft(rows, n=self.width, dim=-1, norm="forward")

    def extra_repr(self) -> str:
        """Sizes."""
        return f"{self.height}x{self.width}, band_limit={self.band_limit}"


class SO3Transform(nn.Module):
    """Coefficients of functions on SO(3) sampled on a grid of Euler angles, and samples of coefficients.

    `α` and `γ` are equidistant, `cos β` are Gauss-Legendre nodes. With an oversampling of `s` there are `2 b s` angles
    `α`, `b s` nodes and `2 N s` angles `γ`: products of `2 s - 1` functions below the band limit are projected exactly,
    so that the transform inverts for `s = 1` and squares are free of aliasing for `s = 3/2`.

    Args:
        band_limit: number `b` of degrees.
        azimuthal: azimuthal band limit `N`, only `|n| < N` are kept; `b` when None. Rotations do not mix `n`.
        oversampling: `s`, at least 1.

    Raises:
        ValueError: when a number is out of range.

    Example:
        >>> ls.equivariant.SO3Transform(4, oversampling=1.5)
        SO3Transform(
          band_limit=4, azimuthal=4, grid (12, 6, 12)
          (harmonics): Constant((7, 4, 6, 4))
          (weighted): Constant((7, 4, 6, 4))
          (turning): Constant((12, 8))
          (spinning): Constant((24, 14))
        )
    """

    def __init__(self, band_limit: int, azimuthal: int | None = None, oversampling: float | int = 1.5) -> None:
        super().__init__()
        self.band_limit, self.azimuthal = checked_limits(band_limit, azimuthal)
        if not (math.isfinite(oversampling) and 1 <= oversampling <= 16):
            raise ValueError(
                f"oversampling: got {oversampling}, must be from 1 (2 b angles, the customary grid) to 16; 1.5 for 3 b"
            )
        counts = (2 * self.band_limit, self.band_limit, 2 * self.azimuthal)
        self.turns, self.nodes, self.spins = (math.ceil(round(count * oversampling, 9)) for count in counts)
        cosines, weights = np.polynomial.legendre.leggauss(self.nodes)
        beta, w = torch.from_numpy(cosines).arccos(), torch.from_numpy(weights) / (2 * self.turns * self.spins)
        middle = self.band_limit - 1
        kept = slice(middle - self.azimuthal + 1, middle + self.azimuthal)
        harmonics = _scaled(small_d(self.band_limit, beta))[..., middle:, kept].permute(3, 2, 0, 1)
        # coefficients with m < 0 are not kept, and add the conjugate of those with m > 0
        twice = torch.tensor([1.0] + [2.0] * middle, dtype=torch.float64)
        self.harmonics = Constant(harmonics * twice[:, None, None])
        self.weighted = Constant(w[:, None] * harmonics)
        self.turning = Constant(_waves(self.turns, torch.arange(self.band_limit))[:, 0].flatten(1))
        self.spinning = Constant(
            _waves(self.spins, torch.arange(1 - self.azimuthal, self.azimuthal)).mT.flatten(2).flatten(0, 1)
        )

    @property
    def grid(self) -> tuple[int, int, int]:
        """Numbers of angles `α`, `β`, `γ`."""
        return self.turns, self.nodes, self.spins

    # Both directions are products of matrices on arrays whose last axes are examples and channels: no axis is moved
    # between them. At these sizes that is cheaper than Fourier transforms of short rows.

    def forward(self, f: Float[Tensor, "B C β γ α"]) -> Complex[Tensor, "B C l m n"]:
        """Coefficients of samples."""
        examples, channels = f.shape[:2]
        with full_precision(f.device):
            f = _wide(f).permute(3, 4, 2, 0, 1).flatten(2)  # γ α (β B C)
            # f -> Σ_α exp(-i m α) f
            f = torch.bmm(self.turning().to(f).mT.expand(self.spins, -1, -1), f)
            # -> Σ_γ exp(-i n γ) f
            f = self.spinning().to(f).mT @ f.reshape(2 * self.spins, -1)
            # -> Σ_β w d f
            f = f.reshape(2 * self.azimuthal - 1, 2, self.band_limit, self.nodes, -1)
            h = self.weighted().to(f).mT[:, None] @ f
            h = h.unflatten(-1, (examples, channels)).permute(4, 5, 3, 2, 0, 1)
            return torch.view_as_complex(h.contiguous())

    def inverse(self, h: Complex[Tensor, "B C l m n"]) -> Float[Tensor, "B C β γ α"]:
        """Samples of coefficients."""
        examples, channels = h.shape[:2]
        with full_precision(h.device):
            f = torch.view_as_real(h).permute(4, 5, 3, 2, 0, 1).flatten(4)  # n, real and imaginary part, m, l, (B C)
            # h -> Σ_l d h
            f = self.harmonics().to(f)[:, None] @ f
            # -> Σ_n exp(i n γ) f
            f = self.spinning().to(f) @ f.reshape(2 * (2 * self.azimuthal - 1), -1)
            # -> Re Σ_m exp(i m α) f
            f = f.reshape(self.spins, 2 * self.band_limit, -1)
            f = torch.bmm(self.turning().to(f).expand(self.spins, -1, -1), f)
            f = f.reshape(self.spins, self.turns, self.nodes, examples, channels)
            return f.permute(3, 4, 2, 0, 1)

    def extra_repr(self) -> str:
        """Sizes."""
        return f"band_limit={self.band_limit}, azimuthal={self.azimuthal}, grid {self.grid}"


def checked_limits(band_limit: int, azimuthal: int | None) -> tuple[int, int]:
    """Band limit and azimuthal band limit, or ValueError."""
    if isinstance(band_limit, bool) or not isinstance(band_limit, int) or band_limit < 1:
        raise ValueError(f"band_limit: got {band_limit!r}, must be a whole number >= 1")
    if azimuthal is None:
        return band_limit, band_limit
    if isinstance(azimuthal, bool) or not isinstance(azimuthal, int) or azimuthal < 1:
        raise ValueError(f"azimuthal: got {azimuthal!r}, must be a whole number >= 1; None for the band limit")
    return band_limit, min(azimuthal, band_limit)


def _scaled(d: Float[Tensor, "j l m n"]) -> Float[Tensor, "j l m n"]:
    """Times `√(2l + 1)`: the harmonics are orthonormal."""
    return d * (2 * torch.arange(d.shape[1], dtype=d.dtype) + 1).sqrt()[:, None, None]


def _waves(angles: int, orders: Tensor) -> Float[Tensor, "K 2 2 o"]:
    """Matrices that multiply real and imaginary parts by `exp(i n γ)`, at equidistant `γ`."""
    turns = 2 * math.pi / angles * torch.arange(angles, dtype=torch.float64)[:, None] * orders
    cosine, sine = turns.cos(), turns.sin()
    return torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)


def _summed(axes: str, f: Tensor, table: Tensor) -> Tensor:
    """The sum `f,table->out` of complex numbers with real weights: real and imaginary part are one more axis."""
    operands, out = axes.split("->")
    values, weights = operands.split(",")
    parts = torch.einsum(f"{values}z,{weights}->{out}z", torch.view_as_real(f), table.to(f.real.dtype))
    return torch.view_as_complex(parts.contiguous())


def _wide(x: Tensor) -> Tensor:
    """In float32 or wider, which Fourier transforms need."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
