"""A spherical network against a plain one of as many parameters: 32 pictures of 40x40, forward and backward.

Masks: `nets.SphericalUNet`, band limits 10 and 6, all orders or `|n| < 3`, against `nets.SegmentationCNN`; there is no
target, since the ratio is the price of exact rotations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import interleaved, ratio
from learnsym.nets import SegmentationCNN, SphericalUNet

BATCH, SIZE, CLASSES = 32, 40, 11


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """One row for each azimuthal band limit."""
    torch.manual_seed(0)
    nets: dict[str, nn.Module] = {
        "all orders": SphericalUNet(1, CLASSES, (SIZE, SIZE), 8),
        "orders below 3": SphericalUNet(1, CLASSES, (SIZE, SIZE), 8, azimuthal=3),
        "plain": SegmentationCNN(1, CLASSES, width=5, depth=3),
    }
    x = torch.rand(BATCH, 1, SIZE, SIZE, device=device)
    ways = {name: _step(net.to(device), x) for name, net in nets.items()}
    times = interleaved(ways, repeats=repeats, device=device, threads=1)
    return [
        {
            "name": f"sphere / {name}",
            "ratio": ratio(times, name, "plain"),
            "target": None,
            "times": {way: times[way] for way in (name, "plain")},
        }
        for name in ("all orders", "orders below 3")
    ]


def _step(net: nn.Module, x: Tensor) -> Callable[[], object]:
    return lambda: torch.autograd.grad(net(x).square().mean(), list(net.parameters()))
