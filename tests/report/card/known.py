"""Networks and data whose symmetry is known."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

SIZE, CLASSES, RADIUS = 24, 8, 8.0


def spots(angles: Tensor, radius: float = RADIUS) -> Tensor:
    """Images of a bright spot at an angle, in radians, about the centre."""
    u = torch.arange(SIZE) - (SIZE - 1) / 2
    x, y = u[None, None, :], -u[None, :, None]
    a, b = (radius * f(angles)[:, None, None] for f in (torch.cos, torch.sin))
    return torch.exp(-((x - a) ** 2 + (y - b) ** 2) / 8)[:, None]


def sectors(count: int = 64) -> tuple[Tensor, Tensor]:
    """Spots in the middle of one of 8 sectors of 45°, and which."""
    y = torch.arange(count) % CLASSES
    return spots(2 * math.pi * y / CLASSES), y


class Sectors(nn.Module):
    """Tells in which sector a spot is: a prediction stays for turns up to 22.5°, and for no mirror image but two."""

    def __init__(self) -> None:
        super().__init__()
        templates = spots(2 * math.pi * torch.arange(CLASSES) / CLASSES)
        self.weight = nn.Parameter(templates.flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight.T


class Pooled(nn.Module):
    """Another network averaged over quarter turns of its inputs: invariant to these by construction."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.net(x.rot90(k, (2, 3))) for k in range(4)]).mean(0)


class Constant(nn.Module):
    """Always answers class 1."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tensor([0.0, 1.0, 0.0]) + 1e-3 * x[:, 0, :1, :3].mean(1)


def random_net(seed: int = 0) -> nn.Module:
    """A network that has learned nothing."""
    torch.manual_seed(seed)
    convolutions = [nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4)]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(4 * (SIZE // 4) ** 2, CLASSES))


def noise(count: int = 64, seed: int = 0) -> Tensor:
    """Images of nothing."""
    return torch.rand(count, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


def convolution(channels: int = 2) -> nn.Module:
    """A circular convolution: its output moves with its input."""
    torch.manual_seed(0)
    return nn.Conv2d(1, channels, 3, padding=1, padding_mode="circular")
