"""The action on functions on the sphere that are given at the pixels of HEALPix.

Legend of axes: `B` batch, `C` channels, `P` pixels, `12 n²` in the ring order.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Shaped
from torch import Tensor

from learnsym.actions._action import Action
from learnsym.actions._checks import check_batch, check_finite, check_floating
from learnsym.actions.sphere import check_turns, check_whole, turned_samples
from learnsym.groups import Group
from learnsym.representations import harmonics_on_healpix, nside_of


@dataclass(frozen=True)
class BandLimitedHealpix(Action):
    """Band-limited functions on the sphere at HEALPix pixels, `(B, C, 12 n²)`, moved without any interpolation.

        x = S c,    g·x = S D(g) A x,    A = (Sᵀ S)⁻¹ Sᵀ

    as `BandLimitedSphere` does with pictures: exact to rounding below the band limit, to which it projects all others.

    Reference: Górski et al., "HEALPix" (2005), arXiv astro-ph/0409513, for the pixels.

    Args:
        band_limit: number `b` of degrees, at most `2 n`.

    Raises:
        ValueError: when it is no whole number from 1 on.

    Example:
        >>> half_turn = torch.diag(torch.tensor([1.0, -1.0, -1.0]))[None]
        >>> heights = ls.representations.healpix_points(2)[None, None, :, 2].float()  # f(p) = z, of degree 1
        >>> torch.allclose(ls.actions.BandLimitedHealpix(2)(half_turn, heights), -heights, atol=1e-6)
        True
    """

    band_limit: int

    def __post_init__(self) -> None:
        check_whole(self.band_limit)

    def __call__(self, g: Float[Tensor, "B n n"], x: Shaped[Tensor, "B ..."]) -> Shaped[Tensor, "B ..."]:
        """Each function analysed, its coefficients turned, and synthesised."""
        return turned_samples(harmonics_on_healpix(nside_of(x.shape[-1]), self.band_limit), g, x)

    def check(self, group: Group) -> None:
        """The group must consist of rotations and reflections of space."""
        check_turns(self, group)

    def check_data(self, group: Group, x: Tensor) -> None:
        """`x` must be finite floating-point numbers at pixels that are fine enough for the band limit."""
        check_batch(x, "B C P")
        check_floating(x)
        harmonics_on_healpix(nside_of(x.shape[-1]), self.band_limit)
        check_finite(x)
