"""The geometric algebra transformer against a plain one in bfloat16, with attention in one fused kernel."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from trial import Row, Step, Trial

from learnsym.actions import PointCloud
from learnsym.nets.points.gatr import GATr
from learnsym.nets.points.transformer import PointTransformer

INPUTS, OUTPUTS = PointCloud(vectors=1, scalars=1), PointCloud()
FUSED = [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]
CLOUDS = ((64, 4), (64, 64), (16, 512))
"""Clouds, and points of each."""


def transformers(trial: Trial) -> Iterator[Row]:
    """Published sizes, 10 blocks each; training steps and inference."""
    blocks = trial.scaled(10)
    torch.manual_seed(0)
    nets = {
        "GATr": GATr(INPUTS, OUTPUTS, blocks=blocks).to(trial.device),
        "transformer": PointTransformer(INPUTS, OUTPUTS, blocks=blocks).to(trial.device),
    }
    for clouds, points in trial.within(CLOUDS):
        x = torch.randn(trial.scaled(clouds), points, INPUTS.features, device=trial.device)
        fused = {name: _is_fused(net, x, trial.device) for name, net in nets.items()}
        for kind in ("training step", "inference"):
            ways: dict[str, Step] = {name: _call(net, x, trial.device, kind, fused[name]) for name, net in nets.items()}
            title = f"GATr / transformer in bfloat16, {kind}, {len(x)} clouds of {points} points"
            yield trial.row(title, ways, target=1.6 if points == 4 else None, fused=fused)


def _call(net: nn.Module, x: Tensor, device: str, kind: str, fused: bool) -> Step:
    def call() -> None:
        with sdpa_kernel(FUSED) if fused else sdpa_kernel(SDPBackend.MATH), torch.autocast(device, torch.bfloat16):
            if kind == "inference":
                with torch.inference_mode():
                    net(x)
            else:
                net(x).float().square().mean().backward()

    return call


def _is_fused(net: nn.Module, x: Tensor, device: str) -> bool:
    """Whether one of the fused kernels takes the shapes of a network, forward and backward."""
    try:
        _call(net, x, device, "training step", True)()
    except RuntimeError as error:
        if "kernel" not in str(error):
            raise
        return False
    return True
