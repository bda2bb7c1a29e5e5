"""A training step and inference of equivariant transformers against plain ones of the same FLOPs.

The geometric algebra transformer stands beside two: one of the published size, of about the same nominal FLOPs, and one
of the width at which `nets.cost.flops` counts as many FLOPs as for it, which are fewer. The octahedral transformer has
the width of the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import interleaved, ratio
from learnsym.actions import PointCloud
from learnsym.nets import cost
from learnsym.nets.points.gatr import GATr
from learnsym.nets.points.octahedral import OctahedralTransformer
from learnsym.nets.points.transformer import PointTransformer

INPUTS, OUTPUTS = PointCloud(vectors=1, scalars=1), PointCloud()
CLOUDS, POINTS, HEADS = 64, 4, 8
TARGETS = {"nominal": 1.6, "counted": 1.3}
TARGET_FINITE = 1.3


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """10 blocks of 16 multivectors and 128 scalars, and 10 blocks of 384 numbers or less; 64 clouds of 4 points."""
    x = torch.randn(CLOUDS, POINTS, INPUTS.features, device=device)
    geometric = GATr(INPUTS, OUTPUTS).to(device)
    plain = {"nominal": PointTransformer(INPUTS, OUTPUTS).to(device)}
    width = matched_width(counted_flops(geometric, x), x)
    plain["counted"] = PointTransformer(INPUTS, OUTPUTS, width, heads=HEADS).to(device)
    nets = {"GATr": geometric, "octahedral": OctahedralTransformer(INPUTS, OUTPUTS, heads=HEADS).to(device), **plain}
    rows = []
    for kind, call in (("inference", _inference), ("training step", _step)):
        sides: dict[str, Callable[[], object]] = {name: _bound(call, net, x) for name, net in nets.items()}
        times = interleaved(sides, repeats=repeats, device=device)
        for name, net in plain.items():
            flops = {key: _flops(value, x) for key, value in (("GATr", geometric), ("plain", net))}
            title = f"GATr / transformer of width {net.embed.out_features}, equal {name} FLOPs, {kind}"
            pair = {"GATr": times["GATr"], "plain": times[name]}
            value = ratio(times, "GATr", name)
            rows.append({"name": title, "ratio": value, "target": TARGETS[name], "times": pair, "flops": flops})
        title = f"octahedral transformer / transformer of width {plain['nominal'].embed.out_features}, {kind}"
        pair = {"octahedral": times["octahedral"], "plain": times["nominal"]}
        value = ratio(times, "octahedral", "nominal")
        rows.append({"name": title, "ratio": value, "target": TARGET_FINITE, "times": pair})
    return rows


def counted_flops(net: nn.Module, x: Tensor) -> float:
    """FLOPs of matrix products of a training step, per token."""
    return cost.flops(net, x).training / x.shape[1]


def matched_width(flops: float, x: Tensor) -> int:
    """The width, a multiple of the heads, at which a plain transformer counts as nearly as many FLOPs per token."""
    widths = range(16 * HEADS, 48 * HEADS + 1, HEADS)
    # the largest one tells the others: blocks have 8 width² elements
    largest = counted_flops(PointTransformer(INPUTS, OUTPUTS, widths[-1], heads=HEADS).to(x.device), x)
    return min(widths, key=lambda width: abs(largest * (width / widths[-1]) ** 2 - flops))


def _flops(net: nn.Module, x: Tensor) -> dict[str, float]:
    found = cost.flops(net, x)
    return {"nominal per token": found.nominal / x.shape[1], "counted per token": found.training / x.shape[1]}


def _bound(call: Callable[[nn.Module, Tensor], None], net: nn.Module, x: Tensor) -> Callable[[], None]:
    return lambda: call(net, x)


def _inference(net: nn.Module, x: Tensor) -> None:
    with torch.inference_mode():
        net(x)


def _step(net: nn.Module, x: Tensor) -> None:
    net(x).square().mean().backward()
