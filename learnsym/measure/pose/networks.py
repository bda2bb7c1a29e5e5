"""Networks that score by which bin of moves an example was moved, chosen by the kind of data.

Legend of axes: `B` examples, `K` bins.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import Action, PointCloud

SIDE = {2: 16, 3: 12}
"""Pixels per side to which images (2) and volumes (3) are reduced: interpolation must not betray the move."""
RIM = 0.82
"""Radius that is read, in half sides: within it neither the frame nor the corners of a turned image show."""


class GridPoseNetwork(nn.Module):
    """Convolutions on smoothed and reduced images or volumes.

    Args:
        dim: 2 for images, 3 for volumes.
        channels: of the input.
        bins: number `K` of scores.
        disc: whether all outside of a disc is masked, which a rotation would fill.
        width: channels of the first layer.
    """

    def __init__(self, dim: int, channels: int, bins: int, disc: bool, width: int = 24) -> None:
        super().__init__()
        convolution = nn.Conv2d if dim == 2 else nn.Conv3d
        self.dim, self.disc, side = dim, disc, SIDE[dim]
        self.features = nn.Sequential(
            convolution(channels, width, 3, padding=1),
            nn.GroupNorm(1, width),
            nn.GELU(),
            convolution(width, 2 * width, 3, stride=2, padding=1),
            nn.GroupNorm(1, 2 * width),
            nn.GELU(),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(2 * width * (side // 2) ** dim, 128),
            nn.GELU(),
            nn.Dropout(0.3),
            nn.Linear(128, bins),
        )

    def forward(self, x: Tensor) -> Float[Tensor, "B K"]:
        """Scores of the bins."""
        return self.features(self._masked(_reduced(x, self.dim)))

    def _masked(self, x: Tensor) -> Tensor:
        if not self.disc:
            return x
        axes = [torch.linspace(-1, 1, n, dtype=x.dtype, device=x.device) for n in x.shape[2:]]
        radius = torch.stack(torch.meshgrid(*axes, indexing="ij")).square().sum(0)
        return x * (radius < RIM**2)


class CloudPoseNetwork(nn.Module):
    """A sum over points of features of their coordinates (PointNet, Qi et al. 2017, arXiv:1612.00593).

    Args:
        features: numbers per point.
        bins: number `K` of scores.
        width: hidden features.
    """

    def __init__(self, features: int, bins: int, width: int = 64) -> None:
        super().__init__()
        self.point = nn.Sequential(
            nn.Linear(features, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width)
        )
        self.head = nn.Sequential(
            nn.LayerNorm(2 * width), nn.Linear(2 * width, width), nn.GELU(), nn.Dropout(0.2), nn.Linear(width, bins)
        )

    def forward(self, x: Float[Tensor, "B N F"]) -> Float[Tensor, "B K"]:
        """Scores of the bins."""
        h = self.point(x)
        return self.head(torch.cat([h.mean(1), h.amax(1)], -1))


def default_network(action: Action, x: Tensor, bins: int, closed: bool) -> nn.Module:
    """The network for the data that an action moves.

    Raises:
        ValueError: when there is none; pass your own.
    """
    if isinstance(action, PointCloud):
        return CloudPoseNetwork(x.shape[2], bins)
    if x.dim() in (4, 5):
        return GridPoseNetwork(x.dim() - 2, x.shape[1], bins, disc=closed)
    raise ValueError(
        f"network: got None, but there is no network for {type(action).__name__} and data of shape {tuple(x.shape)}; "
        "pass a function of the number of bins that returns one"
    )


def _reduced(x: Tensor, dim: int) -> Tensor:
    side = SIDE[dim]
    pool = F.avg_pool2d if dim == 2 else F.avg_pool3d
    mode = "bilinear" if dim == 2 else "trilinear"
    # averaging neighbours before the reduction hides what interpolation blurs
    smooth = pool(x, 3, stride=1, padding=1, count_include_pad=True)
    return F.interpolate(smooth, size=[side] * dim, mode=mode, align_corners=False)
