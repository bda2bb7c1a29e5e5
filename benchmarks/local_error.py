"""The local equivariance error in forward mode against the double-backward formulation: 3x224x224, batch 4.

The double-backward twin moves images by a differentiable bilinear sampler and differentiates the outputs with respect
to the parameter of the group by two reverse passes (Gruver et al. 2023, arXiv 2210.02984). Both give the derivative
along one rotation; only the first one also looks, once a call, whether the network depends on the rest of a batch and
whether derivatives miss something: 12 more images beside 4 with derivatives. They do not grow with the examples, and a
row has the derivatives alone. Peak memory on a CPU is what the resident
set of a fresh process grows by, on CUDA what torch allocates. Networks are timm's, with random weights; without timm
there are no rows.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.timing import clock_of, interleaved, ratio
from learnsym.actions.sampler import bilinear_sample
from learnsym.actions.warp import sampling_grid
from learnsym.groups import SO2
from learnsym.measure import local_equivariance_error
from learnsym.measure.lie.forward import differentiable, linearise
from learnsym.measure.lie.generator import generator_named, operator_of
from learnsym.nets import timm_model
from learnsym.symmetry import symmetry_by_name

BATCH, SIZE = 4, 224
TARGETS = {"resnet18": 0.4, "resnet50": 0.4, "vit_tiny_patch16_224": 0.6}
MEMORY_TARGET, SIX_TARGET = 0.3, 3.0
NOTE = "both times hold checks of the input, 12 of the 20 passes of one generator, made once a call"
SIX = ["translation_x", "translation_y", "rotation", "scale", "stretch", "shear"]


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """Time and peak memory of both for each network, and six generators at once against one."""
    if importlib.util.find_spec("timm") is None:
        return []
    return [row for name in TARGETS for row in _rows(name, device, min(repeats, 7))]


def _rows(name: str, device: str, repeats: int) -> list[dict[str, Any]]:
    model, x = _network(name, device)
    ways = {way: partial(function, model, x) for way, function in WAYS.items()}
    times = interleaved(ways, repeats=repeats, warmup=1, device=device, clock=clock_of(device))
    memory = {way: _peak(way, name, device) for way in ("forward", "double")}
    return [
        _row(f"LEE forward / double backward, {name}", times, "forward", "double", TARGETS[name]),
        _row(f"LEE forward / double backward, derivatives alone, {name}", times, "alone", "double", None),
        _row(f"LEE six generators / one, {name}", times, "six", "forward", SIX_TARGET) | {"note": NOTE},
        {
            "name": f"LEE peak memory, {name}",
            "ratio": memory["forward"] / memory["double"],
            "target": MEMORY_TARGET,
            "times": {},
            "mebibytes": memory,
        },
    ]


def _row(name: str, times: dict[str, float], a: str, b: str, target: float | None) -> dict[str, Any]:
    return {"name": name, "ratio": ratio(times, a, b), "target": target, "times": {a: times[a], b: times[b]}}


def _network(name: str, device: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    return timm_model(name).eval().requires_grad_(False).to(device), torch.rand(BATCH, 3, SIZE, SIZE, device=device)


def _forward(model: nn.Module, x: Tensor, generators: list[str] | None = None) -> object:
    affine = symmetry_by_name("affine2d")
    return local_equivariance_error(model, x, affine, generators or ["rotation"], batch_size=len(x))


def _alone(model: nn.Module, x: Tensor) -> object:
    """What the forward mode does for examples after the first ones."""
    affine = symmetry_by_name("affine2d")
    place, _ = generator_named(affine.group, "rotation")
    with differentiable(model):
        return linearise(model, x, operator_of(affine.on_input, affine.group, place, "spectral")(x)[None], "forward")


def _double(model: nn.Module, x: Tensor) -> Tensor:
    a = torch.zeros(len(x), 1, device=x.device, requires_grad=True)
    with sdpa_kernel(SDPBackend.MATH):
        y = model(bilinear_sample(x, sampling_grid(SO2().exp(a), x.shape[2:]), "reflection"))
        v = torch.zeros_like(y, requires_grad=True)
        (pulled,) = torch.autograd.grad(y, a, v, create_graph=True)
        return torch.autograd.grad(pulled, v, torch.ones_like(pulled))[0]


WAYS: dict[str, Callable[[nn.Module, Tensor], object]] = {
    "forward": _forward,
    "alone": _alone,
    "double": _double,
    "six": partial(_forward, generators=SIX),
}


def _peak(way: str, name: str, device: str) -> float:
    """MiB that one call needs beyond the network and its input, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.local_error", way, name, device]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _grown(way: str, name: str, device: str) -> float:
    torch.set_num_threads(1)
    model, x = _network(name, device)
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        WAYS[way](model, x)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    before = _high_water()
    WAYS[way](model, x)
    return _high_water() - before


def _high_water() -> float:
    """Largest resident set so far in MiB; `getrusage` would carry over that of the parent process."""
    lines = Path("/proc/self/status").read_text(encoding="utf8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10


if __name__ == "__main__":
    print(json.dumps(_grown(*sys.argv[1:])))
