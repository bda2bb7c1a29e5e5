"""Fourier transforms of real functions at the pixels of HEALPix, to and from the coefficients of `S2Transform`.

Legend of axes: `B` batch, `C` channels, `P` pixels, `D` real coefficients, `l` degree, `m` from 0, `z` real and
imaginary part.
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from learnsym.distributions import full_precision
from learnsym.equivariant.constant import Constant
from learnsym.representations import harmonics_on_healpix


class HealpixTransform(nn.Module):
    """Coefficients of functions at the `12 n²` pixels of HEALPix, and functions of coefficients, as of `S2Transform`.

        f = argmin_f Σ_p (x_p - Σ_lm f_lm √(2l + 1) d^l_m0(θ_p) exp(i m φ_p))²

    Exact for functions of degree below the band limit, and the nearest of them to others. Its coefficients are those
    that `S2Conv` takes, so that a network is told by its transform alone which pixels it reads.

    Reference: Górski et al., "HEALPix" (2005), arXiv astro-ph/0409513, for the pixels, in the ring order.

    Args:
        nside: resolution `n`.
        band_limit: number `b` of degrees, at most `2 n`.

    Raises:
        ValueError: for a resolution that is not from 1 to 64, or a band limit above `2 n`.

    Example:
        >>> transform = ls.equivariant.HealpixTransform(4, band_limit=8)
        >>> h = ls.equivariant.S2Conv(1, 6, band_limit=5)(transform(torch.rand(2, 1, 192)))
        >>> h.shape
        torch.Size([2, 6, 5, 5, 9])
    """

    def __init__(self, nside: int, band_limit: int) -> None:
        super().__init__()
        analysis, synthesis = harmonics_on_healpix(nside, band_limit)
        self.nside, self.band_limit = nside, band_limit
        # f = U c of real coefficients c, c = V f of complex ones
        to_complex, to_real = _complex_of_real(band_limit)
        self.analysis = Constant(torch.einsum("lmzd,dp->lmzp", to_complex, analysis))
        self.synthesis = Constant(torch.einsum("pd,dlmz->plmz", synthesis, to_real))

    def forward(self, x: Float[Tensor, "B C P"]) -> Complex[Tensor, "B C l m"]:
        """Coefficients of functions."""
        analysis = self.analysis()
        if x.shape[-1] != analysis.shape[-1]:
            raise ValueError(
                f"x: got {x.shape[-1]} pixels, the transform is for {analysis.shape[-1]}, nside {self.nside}; make "
                "another one"
            )
        with full_precision(x.device):
            x = x.to(torch.promote_types(x.dtype, torch.float32))
            return torch.view_as_complex(torch.einsum("lmzp,bcp->bclmz", analysis.to(x), x).contiguous())

    def inverse(self, f: Complex[Tensor, "B C l m"]) -> Float[Tensor, "B C P"]:
        """Functions of coefficients."""
        with full_precision(f.device):
            return torch.einsum("plmz,bclmz->bcp", self.synthesis().to(f.real.dtype), torch.view_as_real(f))

    def extra_repr(self) -> str:
        """Sizes."""
        return f"nside={self.nside}, band_limit={self.band_limit}"


def _complex_of_real(band_limit: int) -> tuple[Float[Tensor, "l m z D"], Float[Tensor, "D l m z"]]:
    """From coefficients of real harmonics to complex ones with `m` from 0, and back.

    f_l0 = c_l0,    f_lm = (-1)^m (c_lm - i c_l,-m) / √2,    √(2l + 1) d^l_m0 exp(i m φ) = (-1)^m (Y_lm + i Y_l,-m) / √2
    """
    size = (band_limit, band_limit, 2, band_limit**2)
    to_complex, to_real = torch.zeros(size, dtype=torch.float64), torch.zeros(size, dtype=torch.float64)
    for degree in range(band_limit):
        middle = degree**2 + degree
        to_complex[degree, 0, 0, middle] = to_real[degree, 0, 0, middle] = 1
        for m in range(1, degree + 1):
            sign = (-1) ** m
            for part, entry, one in ((0, middle + m, sign), (1, middle - m, -sign)):
                to_complex[degree, m, part, entry] = one / 2**0.5
                to_real[degree, m, part, entry] = one * 2**0.5
    return to_complex, to_real.movedim(-1, 0)
