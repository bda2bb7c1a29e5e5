"""Convolutions from the sphere to SO(3), on SO(3), and back to the sphere.

Each is a weighted sum of moved copies of its input, with one weight for each pair of channels and point of the kernel,
and therefore commutes with rotations from the left exactly: its output at `R` depends on the input around `R`.

Legend of axes: `B` batch, `i`, `o` channels, `l` degree, `m` from 0, `n`, `p` from `1 - N`, `P` points of the kernel;
`L`, `M`, `N` those of the input.
"""

from __future__ import annotations

import abc

import torch
from jaxtyping import Complex
from torch import Tensor, nn

from learnsym.distributions import full_precision
from learnsym.equivariant.constant import Constant
from learnsym.equivariant.sphere.functions import resized, with_constant
from learnsym.equivariant.sphere.kernels import near_identity, near_pole, usual_reach
from learnsym.equivariant.sphere.transforms import checked_limits


class _KernelConv(nn.Module, abc.ABC):
    """What the three convolutions share: weights at points, and the coefficients of the kernel that they make.

    Args:
        in_channels, out_channels: numbers of functions.
        band_limit: number of degrees of the output; inputs are cut, or filled with zeros.
        azimuthal: azimuthal band limit `N`; the band limit when None.
        rings: circles of points around the pole.
        points: points on a circle, and angles `γ` at each point of a kernel on SO(3).
        reach: angle of the widest circle in radians; `6.2 π / b` up to 3π/4 when None.
        bias: whether a constant is added to each channel.

    Raises:
        ValueError: when a number is out of range.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        band_limit: int,
        azimuthal: int | None = None,
        *,
        rings: int = 3,
        points: int = 8,
        reach: float | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (
            ("in_channels", in_channels),
            ("out_channels", out_channels),
            ("rings", rings),
            ("points", points),
        ):
            if value < 1:
                raise ValueError(f"{name}: got {value}, must be >= 1; choose a positive number")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.band_limit, self.azimuthal = checked_limits(band_limit, azimuthal)
        self.reach = usual_reach(band_limit) if reach is None else reach
        if not 0 < self.reach <= 3.2:
            raise ValueError(f"reach: got {self.reach}, must be an angle above 0 and at most π, in radians")
        harmonics = self.harmonics_at(rings, points)
        self.harmonics = Constant(torch.view_as_real(harmonics))
        # keeps the mean square of white noise through a ReLU that halves it
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, len(harmonics)))
        nn.init.normal_(self.weight, std=(2 / (in_channels * len(harmonics))) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    @abc.abstractmethod
    def harmonics_at(self, rings: int, points: int) -> Complex[Tensor, "P *orders"]:
        """The harmonics at the points of the kernel."""

    def kernel(self) -> Complex[Tensor, "o i *orders"]:
        """Coefficients of the kernel, `Σ_P w_P conj D(R_P)`."""
        return torch.view_as_complex(torch.tensordot(self.weight, self.harmonics().to(self.weight.dtype), 1))

    def extra_repr(self) -> str:
        """Sizes."""
        limits = f"band_limit={self.band_limit}, azimuthal={self.azimuthal}"
        return f"{self.in_channels}, {self.out_channels}, {limits}, points={self.weight.shape[-1]}"


class S2Conv(_KernelConv):
    """From functions on the sphere to functions on SO(3), with a kernel at `rings * points` points `x_P` of the sphere.

        h(R) = Σ_P w_P f(R x_P),    h_lmn = f_lm Σ_P w_P conj D^l_n0(x_P)

    Reference: Cohen, Geiger, Köhler, Welling, "Spherical CNNs" (2018), arXiv 1801.10130.

    Example:
        >>> conv = ls.equivariant.S2Conv(1, 4, band_limit=3)
        >>> f = ls.equivariant.S2Transform(8, 8, band_limit=4)(torch.rand(2, 1, 8, 8))
        >>> conv(f).shape
        torch.Size([2, 4, 3, 3, 5])
    """

    def harmonics_at(self, rings: int, points: int) -> Complex[Tensor, "P l n"]:
        return near_pole(self.band_limit, self.azimuthal, rings, points, self.reach)

    def forward(self, f: Complex[Tensor, "B i L M"]) -> Complex[Tensor, "B o l m n"]:
        """Coefficients on SO(3) of coefficients on the sphere."""
        with full_precision(f.device):
            h = torch.einsum("bilm,oiln->bolmn", resized(f[..., None], self.band_limit, 1)[..., 0], self.kernel())
            return with_constant(h, self.bias)


class SO3Conv(_KernelConv):
    """From functions on SO(3) to functions on SO(3), with a kernel at `rings * points²` rotations `R_P`.

        h'(R) = Σ_P w_P h(R R_P),    h'_lmp = Σ_n h_lmn Σ_P w_P conj D^l_pn(R_P)

    The angles `α` and `γ` of a kernel are distinct; in the code released with the paper on spherical images the first
    and the last of eight angles `γ` are the same.

    Reference: Cohen, Geiger, Köhler, Welling, "Spherical CNNs" (2018), arXiv 1801.10130.

    Example:
        >>> h = torch.randn(2, 4, 3, 3, 5, dtype=torch.complex64)
        >>> ls.equivariant.SO3Conv(4, 6, band_limit=2)(h).shape
        torch.Size([2, 6, 2, 2, 3])
    """

    def harmonics_at(self, rings: int, points: int) -> Complex[Tensor, "P l p n"]:
        return near_identity(self.band_limit, self.azimuthal, rings, points, self.reach)

    def forward(self, h: Complex[Tensor, "B i L M N"]) -> Complex[Tensor, "B o l m p"]:
        """Coefficients of coefficients."""
        with full_precision(h.device):
            h = resized(h, self.band_limit, self.azimuthal)
            return with_constant(torch.einsum("bilmn,oilpn->bolmp", h, self.kernel()), self.bias)


class SO3ToS2(_KernelConv):
    """From functions on SO(3) back to functions on the sphere, with a kernel at `rings * points` points.

        f_lm = Σ_n h_lmn Σ_P w_P conj D^l_0n(x_P)

    A convolution on SO(3) followed by the mean over `γ`, in one step. Any real equivariant map from SO(3) to the sphere
    is `f_lm = Σ_n h_lmn k_ln` with the coefficients `k` of a function on the sphere, so that a kernel on SO(3) followed
    by a sum over `n`, as published, has eight times the weights for the same maps.

    Reference: Gerken, Carlsson, Linander, Ohlsson, Petersson, Persson, "Equivariance versus augmentation for spherical
    images" (2022), arXiv 2202.03990.

    Example:
        >>> h = torch.randn(2, 4, 3, 3, 5, dtype=torch.complex64)
        >>> f = ls.equivariant.SO3ToS2(4, 11, band_limit=3)(h)
        >>> ls.equivariant.S2Transform(8, 8, band_limit=3).inverse(f).shape
        torch.Size([2, 11, 8, 8])
    """

    def harmonics_at(self, rings: int, points: int) -> Complex[Tensor, "P l n"]:
        # d_0n = (-1)^n d_n0
        signs = (-1.0) ** torch.arange(1 - self.azimuthal, self.azimuthal)
        return near_pole(self.band_limit, self.azimuthal, rings, points, self.reach) * signs

    def forward(self, h: Complex[Tensor, "B i L M N"]) -> Complex[Tensor, "B o l m"]:
        """Coefficients on the sphere of coefficients on SO(3)."""
        with full_precision(h.device):
            h = resized(h, self.band_limit, self.azimuthal)
            f = torch.einsum("bilmn,oiln->bolm", h, self.kernel())
            return with_constant(f[..., None], self.bias)[..., 0]
