"""`training.fit_ensemble` against as many calls of `training.fit`: 16 networks, four learning rates, 1x14x14 images.

A member of the ensemble differs from its twin in rounding alone. The MLP is 64 wide, the CNN has two convolutions of 8
and 16 channels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from benchmarks.timing import clock_of, interleaved, ratio
from learnsym.data import Batches, Dataset
from learnsym.nets import CNN, MLP
from learnsym.objectives import Supervised
from learnsym.training import OptimiserConfig, fit, fit_ensemble

MEMBERS, STEPS, SIZE, CLASSES = 16, 20, 14, 10
TARGETS = {"cpu": 0.5, "cuda": 0.125}
BUSY_TARGET = 1 / 1.8
"""Of convolutions on a CPU, which large batches keep busy."""
NETS: dict[str, Callable[[], nn.Module]] = {
    "MLP": lambda: MLP(SIZE * SIZE, CLASSES, width=64),
    "CNN": lambda: CNN(1, CLASSES, width=8, size=SIZE, depth=2),
}
BATCHES = (16, 64)


def run(device: str, repeats: int) -> list[dict[str, Any]]:
    """One row per network and batch size, for `STEPS` steps."""
    return [_row(net, size, device, min(repeats, 7)) for net in NETS for size in BATCHES]


def _row(net: str, batch_size: int, device: str, repeats: int) -> dict[str, Any]:
    torch.manual_seed(0)
    models = [NETS[net]().to(device) for _ in range(MEMBERS)]
    data = Dataset(torch.rand(2048, 1, SIZE, SIZE), torch.randint(CLASSES, (2048,)), classes=CLASSES)
    ways = _ways(models, Batches(data, batch_size, device=device))
    times = interleaved(ways, repeats=repeats, warmup=1, device=device, clock=clock_of(device))
    return {
        "name": f"{MEMBERS} {net}s, one ensemble / one by one, batch {batch_size}",
        "ratio": ratio(times, "ensemble", "separate"),
        "target": BUSY_TARGET if (net, batch_size, device) == ("CNN", 64, "cpu") else TARGETS[device],
        "times": times,
    }


def _ways(models: list[nn.Module], loader: Batches) -> dict[str, Callable[[], object]]:
    optimisers = [OptimiserConfig(lr=1e-3 * 2 ** (m % 4)) for m in range(MEMBERS)]
    twins, loss_fn = copy.deepcopy(models), nn.functional.cross_entropy

    def ensemble() -> None:
        fit_ensemble(models, loss_fn, loader, steps=STEPS, optimiser=optimisers, seeds=range(MEMBERS))

    def separate() -> None:
        for seed, (model, config) in enumerate(zip(twins, optimisers, strict=True)):
            own = Batches(loader.dataset, loader.batch_size, seed, loader.device)
            fit(model, Supervised(loss_fn), own, steps=STEPS, optimiser=config, seed=seed)

    return {"ensemble": ensemble, "separate": separate}
