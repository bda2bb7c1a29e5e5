"""Building a steerable wide ResNet 28-7 (D_8, D_4, D_1), and its exported program against a plain torch network.

Building: wall seconds on one thread, cold (bases computed; nothing is ever written to disk) and warm (bases remembered
in this process). Export: a wide ResNet 10-2 on 32x3x33x33 against one of ordinary convolutions of the same shape.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.timing import interleaved, ratio
from learnsym.equivariant import FreeConv
from learnsym.equivariant.steerable.kernel_basis import kernel_basis
from learnsym.export import export_model
from learnsym.groups import Dihedral
from learnsym.nets import SteerableWideResNet
from learnsym.representations import generating

GROUPS = (Dihedral(8), Dihedral(4), Dihedral(1))
KERNELS = (5, 3, 5)
SECONDS, RATIO = 2.0, 1.02


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """Both comparisons."""
    return [construction(min(repeats, 5)), exported(device, repeats)]


def construction(repeats: int) -> dict[str, Any]:
    """Median seconds to build; the target is in seconds, so that `ratio` is the number of seconds."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    _build()  # modules loaded, allocator warm
    cold = sorted(_seconds(forget=True) for _ in range(repeats))[repeats // 2]
    warm = sorted(_seconds(forget=False) for _ in range(repeats))[repeats // 2]
    torch.set_num_threads(threads)
    weights = sum(weight.numel() for weight in _build().parameters())
    return {
        "name": f"steerable WRN28-7 of {weights / 1e6:.1f} M weights, seconds to build",
        "ratio": cold,
        "target": SECONDS,
        "times": {"cold": cold, "warm": warm},
        "threads": 1,
        "on_disk": "nothing",
    }


def _build() -> SteerableWideResNet:
    return SteerableWideResNet(GROUPS, 3, 10, 28, 7, kernel_sizes=KERNELS)


def _seconds(forget: bool) -> float:
    if forget:
        kernel_basis.cache_clear()
        generating.cache_clear()
    start = time.perf_counter()
    _build()
    return time.perf_counter() - start


def exported(device: str, repeats: int) -> dict[str, Any]:
    """The program that `export_model` writes, read back, against the plain network."""
    net, plain = (_small(conv).to(device).eval() for conv in ({}, {"conv": FreeConv}))
    plain = plain.plain().eval()
    x = torch.rand(32, 3, 33, 33, device=device)
    with tempfile.TemporaryDirectory() as folder:
        program = torch.export.load(export_model(net, x[:2], Path(folder) / "model.pt2")).module()
    with torch.inference_mode():
        difference = (program(x) - net(x)).abs().max().item()
        times = interleaved({"exported": lambda: program(x), "torch": lambda: plain(x)}, repeats=repeats, device=device)
    return {
        "name": f"exported steerable WRN10-2 / torch network (outputs differ by {difference:.1g})",
        "ratio": ratio(times, "exported", "torch"),
        "target": RATIO,
        "times": times,
    }


def _small(options: dict[str, Any]) -> SteerableWideResNet:
    torch.manual_seed(0)
    return SteerableWideResNet([Dihedral(4), Dihedral(4), Dihedral(1)], 3, 10, 10, 2, **options)
