"""`actions.warp` against kornia's `warp_affine` and against the gather twin: 128x3x64x64, forward and backward.

Gradients to the images and to the matrices, bilinear, zeros outside; the maps are rotations, scales and shifts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.timing import interleaved, ratio
from learnsym.actions import bilinear_sample, sampling_grid, warp

BATCH, CHANNELS, SIZE = 128, 3, 64
TARGET = 1.0


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """One row per peer and number of threads (one and two; on CUDA threads do not matter)."""
    import kornia.geometry

    x, g = _data(device)
    pixels = _pixel_matrices(g.detach()).requires_grad_()
    ways = {
        "warp": _step(lambda: warp(x, g), x, g),
        "kornia": _step(lambda: kornia.geometry.warp_affine(x, pixels, (SIZE, SIZE), align_corners=False), x, pixels),
        "gather": _step(lambda: bilinear_sample(x, sampling_grid(g, (SIZE, SIZE))), x, g),
    }
    counts = (1,) if device.startswith("cuda") else (1, 2)
    return [row for threads in counts for row in _rows(ways, device, repeats, threads)]


def _rows(ways: dict[str, Callable[[], object]], device: str, repeats: int, threads: int) -> list[dict[str, Any]]:
    times = interleaved(ways, repeats=repeats, device=device, threads=threads)
    return [
        {
            "name": f"warp / {peer}, {threads} thread{'s' * (threads > 1)}",
            "ratio": ratio(times, "warp", peer),
            "target": TARGET,
            "times": {name: times[name] for name in ("warp", peer)},
        }
        for peer in ("kornia", "gather")
    ]


def _step(forward: Callable[[], Tensor], *inputs: Tensor) -> Callable[[], object]:
    weight = torch.ones(BATCH, CHANNELS, SIZE, SIZE, device=inputs[0].device)
    return lambda: torch.autograd.grad(forward(), inputs, weight)


def _data(device: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(BATCH, CHANNELS, SIZE, SIZE, generator=generator)
    angle, log_scale = torch.rand(2, BATCH, generator=generator) - 0.5
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).reshape(BATCH, 2, 2)
    g = torch.eye(3).repeat(BATCH, 1, 1)
    g[:, :2, :2] = turn * log_scale.exp()[:, None, None]
    g[:, :2, 2] = 0.3 * (torch.rand(BATCH, 2, generator=generator) - 0.5)
    return x.to(device).requires_grad_(), g.to(device).requires_grad_()


def _pixel_matrices(g: Tensor) -> Tensor:
    """The same maps as kornia takes them: input pixel to output pixel, y down, the origin at the first pixel."""
    half = SIZE / 2
    to_pixel = torch.tensor(
        [[half, 0.0, half - 0.5], [0.0, -half, half - 0.5], [0.0, 0.0, 1.0]], dtype=g.dtype, device=g.device
    )
    return (to_pixel @ g @ to_pixel.inverse())[:, :2].contiguous()
