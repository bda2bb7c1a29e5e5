"""The network that predicts labels under many laws of augmentation at once.

Legend of axes: `B` examples, `C` channels, `N` points, `H` features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

SIDE = 20
"""Pixels per side to which images are averaged."""
HIDDEN = 128


class ConditionalNetwork(nn.Module):
    """Features that all conditions share, and a head whose hidden layer is scaled and shifted by condition (FiLM).

    Args:
        features: from examples to `(B, HIDDEN)`.
        conditions: number of laws of augmentation.
        outputs: number of scores.
    """

    def __init__(self, features: nn.Module, conditions: int, outputs: int) -> None:
        super().__init__()
        self.features = features
        self.modulation = nn.Embedding(conditions, 2 * HIDDEN)
        nn.init.zeros_(self.modulation.weight)
        self.hidden = nn.Linear(HIDDEN, HIDDEN)
        self.head = nn.Linear(HIDDEN, outputs)
        self.dropout = nn.Dropout(0.2)

    def forward(self, x: Tensor, condition: Int[Tensor, "B"]) -> Float[Tensor, "B K"]:
        return self.predict(self.features(x), condition)

    def predict(self, features: Float[Tensor, "B H"], condition: Int[Tensor, "B"]) -> Float[Tensor, "B K"]:
        """Scores from features, as under a condition."""
        scale, shift = self.modulation(condition).chunk(2, -1)
        modulated = F.gelu(features * (1 + scale) + shift)
        return self.head(self.dropout(F.gelu(self.hidden(modulated))))


class ImageFeatures(nn.Module):
    """Three convolutions with pooling, then a linear layer.

    Args:
        channels: of the images.
        width: channels of the first convolution.
    """

    def __init__(self, channels: int, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(((channels, width), (width, 2 * width), (2 * width, 2 * width))):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.GroupNorm(1, after), nn.GELU()]
            layers += [nn.MaxPool2d(2)] if i < 2 else []
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(2 * width * (SIDE // 4) ** 2, HIDDEN))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B H"]:
        return self.layers(F.interpolate(x, size=[SIDE, SIDE], mode="bilinear", antialias=True, align_corners=False))


class CloudFeatures(nn.Module):
    """Mean and maximum over points of features of each (PointNet, Qi et al. 2017, arXiv:1612.00593).

    Args:
        numbers: per point.
    """

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.point = nn.Sequential(
            nn.Linear(numbers, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN)
        )
        self.joined = nn.Sequential(nn.LayerNorm(2 * HIDDEN), nn.Linear(2 * HIDDEN, HIDDEN))

    def forward(self, x: Float[Tensor, "B N F"]) -> Float[Tensor, "B H"]:
        h = self.point(x)
        return self.joined(torch.cat([h.mean(1), h.amax(1)], -1))


def features_of(x: Tensor) -> nn.Module:
    """The features for images `(N, C, H, W)` or clouds `(N, points, numbers)`."""
    return ImageFeatures(x.shape[1]) if x.dim() == 4 else CloudFeatures(x.shape[2])
