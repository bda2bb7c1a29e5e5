"""Functions on a grid from their values at a few anchors.

Legend of axes: `J` anchors, `T` points of a grid.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from learnsym.equivariant.constant import Constant
from learnsym.relax.grid_maps import Grid

NOISE = 0.01
"""Standard deviation `σ` of the interpolation at the anchors."""


class Interpolation(nn.Module):
    """Functions on a grid from their values at anchors: `w(t) = Σ_j u_j ψ_j(t)`, the mean of a Gaussian process.

        ψ = K_tz (K_zz + σ² 1)^-1,    k(t, t') = exp(-ω² |t - t'|² / 2)

    Anchors are drawn without replacement among the pixels. A small `ω` makes weights smooth: with it learned, the layer
    goes from one number to free values at the anchors.

    Args:
        size: the grid.
        share: anchors for each pixel, in (0, 1]; one at least.
        bandwidth: `ω` in 1 / pixel.
        learned_bandwidth: whether `ω` is a parameter.
        seed: of the anchors.

    Raises:
        ValueError: for a share outside (0, 1] or a bandwidth that is not positive.
    """

    def __init__(
        self, size: Grid, share: float, bandwidth: float = 1.0, learned_bandwidth: bool = False, seed: int = 0
    ) -> None:
        super().__init__()
        if not 0 < share <= 1:
            raise ValueError(f"share: got {share}, must be in (0, 1]; 0.5 keeps half of the weights")
        if not bandwidth > 0:
            raise ValueError(f"bandwidth: got {bandwidth}, must be positive; 1 is the paper's")
        count = max(1, int(share * math.prod(size) + 1e-9))
        self.anchors = Constant(anchors(size, count, seed))
        self.points = Constant(pixel_positions(size))
        self.count = count
        start = torch.tensor(math.log(bandwidth), device="cpu")
        points = pixel_positions(size)
        self.log_bandwidth = nn.Parameter(start) if learned_bandwidth else None
        self.fixed = None if learned_bandwidth else Constant(interpolation(points, points[self.anchors()], start))

    def forward(self) -> Float[Tensor, "J T"]:
        """The functions `ψ_j` at all points."""
        if self.log_bandwidth is None:
            assert self.fixed is not None
            return self.fixed()
        points = self.points()
        return interpolation(points, points[self.anchors()], self.log_bandwidth)

    @torch.no_grad()
    def reduce(self, values: Float[Tensor, "*B T"]) -> Float[Tensor, "*B J"]:
        """Values at the anchors whose interpolation is nearest to given values, by least squares."""
        basis = self().to(values.dtype)
        at_anchors = torch.linalg.lstsq(basis.mT, values.reshape(-1, values.shape[-1]).mT).solution.mT
        return at_anchors.reshape(*values.shape[:-1], self.count)


def anchors(size: Grid, count: int, seed: int) -> Int[Tensor, "J"]:
    """Pixels of a grid drawn without replacement."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(math.prod(size), generator=generator, device="cpu")[:count].sort().values


def pixel_positions(size: Grid) -> Float[Tensor, "T 2"]:
    """Rows and columns of pixels, in pixels."""
    rows, columns = (torch.arange(n, dtype=torch.float64, device="cpu") for n in size)
    return torch.cartesian_prod(rows, columns)


def interpolation(
    points: Float[Tensor, "T 2"], at: Float[Tensor, "J 2"], log_bandwidth: Float[Tensor, ""]
) -> Float[Tensor, "J T"]:
    """`ψ = (K_zz + σ² 1)^-1 K_zt`."""
    omega = log_bandwidth.exp().to(points.device)
    noise = NOISE**2 * torch.eye(len(at), dtype=at.dtype, device=at.device)
    return torch.linalg.solve(covariance(at, at, omega) + noise, covariance(at, points, omega))


def covariance(a: Float[Tensor, "J 2"], b: Float[Tensor, "T 2"], omega: Float[Tensor, ""]) -> Float[Tensor, "J T"]:
    """`k(t, t') = exp(-ω² |t - t'|² / 2)`."""
    return (-0.5 * omega**2 * (a[:, None] - b[None]).square().sum(-1)).exp()
