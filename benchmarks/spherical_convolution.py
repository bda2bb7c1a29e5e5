"""Convolutions from the sphere to SO(3) and on SO(3), forward and backward, beside the public code of their paper.

`s2cnn` (github.com/jonkhler/s2cnn) is no package of a registry: lay a checkout on the path of imports, see the README
of this folder. Channels, band limits, numbers of points of the kernels and pictures are equal; the last network is that
of its example on MNIST. Ours has its activations on the customary grid of `2 b` angles `α` and `γ`, as theirs; on that
of `3 b`, our default, it is timed beside. Without `s2cnn`, our two grids alone are compared.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import clock_of, interleaved, ratio
from learnsym.equivariant import S2Conv, S2Transform, SO3Conv, SO3Mean, SO3Pointwise
from learnsym.nets import parameter_count

BATCH, CHANNELS, CLASSES, TARGET = 32, (20, 40), 10, 0.5
RINGS, POINTS = 3, 8
LIMITS = {"b = 8, 5": (8, 8, 5), "b = 10, 6": (10, 10, 6), "b = 16, 8": (16, 16, 8), "MNIST, b = 10, 6": (30, 10, 6)}
"""Half of the pixels of a side, and the band limits of both convolutions."""
GRIDS = {"learnsym": 1.0, "learnsym, 3 b": 1.5}


def run(device: str, repeats: int) -> Iterator[dict[str, Any]]:
    """Of each triple of limits, rows of both grids over `s2cnn`, or of one over the other."""
    for name, limits in LIMITS.items():
        torch.manual_seed(0)
        x = torch.rand(BATCH, 1, 2 * limits[0], 2 * limits[0], device=device)
        nets: dict[str, nn.Module] = {way: ours(limits, oversampling) for way, oversampling in GRIDS.items()}
        if importlib.util.find_spec("s2cnn"):
            nets["s2cnn"] = theirs(limits)
        ways = {way: _step(net.to(device), x) for way, net in nets.items()}
        clock = clock_of(device)
        times = interleaved(ways, repeats=repeats, warmup=1, device=device, threads=1, clock=clock)
        *rows, last = nets
        for way in rows:
            yield {
                "name": f"S2Conv, SO3Conv, {name}: {way} / {last}, forward and backward",
                "ratio": ratio(times, way, last),
                "target": TARGET if last == "s2cnn" else None,
                "times": {each: times[each] / BATCH for each in (way, last)},
                "note": f"an image; {parameter_count(nets[way]):,} and {parameter_count(nets[last]):,} weights",
            }


def ours(limits: tuple[int, int, int], oversampling: float) -> nn.Module:
    """Two convolutions with a bias and a ReLU each, the mean over SO(3) and a linear layer."""
    (half, first, second), (narrow, wide) = limits, CHANNELS
    return nn.Sequential(
        S2Transform(2 * half, 2 * half, first),
        S2Conv(1, narrow, first, rings=RINGS, points=POINTS),
        SO3Pointwise(first, oversampling=oversampling),
        SO3Conv(narrow, wide, second, rings=RINGS, points=POINTS),
        SO3Pointwise(second, oversampling=oversampling),
        SO3Mean(),
        nn.Linear(wide, CLASSES),
    )


def theirs(limits: tuple[int, int, int]) -> nn.Module:
    """The same of `s2cnn`, whose usual kernels have as many points."""
    s2cnn: Any = importlib.import_module("s2cnn")
    (half, first, second), (narrow, wide) = limits, CHANNELS
    on_sphere = s2cnn.s2_near_identity_grid(n_alpha=POINTS, n_beta=RINGS)
    on_rotations = s2cnn.so3_near_identity_grid(n_alpha=POINTS, n_beta=RINGS, n_gamma=POINTS)

    class Mean(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return s2cnn.so3_integrate(x)

    return nn.Sequential(
        s2cnn.S2Convolution(1, narrow, half, first, on_sphere),
        nn.ReLU(),
        s2cnn.SO3Convolution(narrow, wide, first, second, on_rotations),
        nn.ReLU(),
        Mean(),
        nn.Linear(wide, CLASSES),
    )


def _step(net: nn.Module, x: Tensor) -> Callable[[], object]:
    return lambda: torch.autograd.grad(net(x).square().mean(), list(net.parameters()))
