"""Many small networks trained as one, against one after another."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch
from torch import nn
from trial import Row, Trial

from benchmarks.timing import interleaved
from learnsym.data import Batches, Dataset
from learnsym.nets import CNN, MLP
from learnsym.objectives import Supervised
from learnsym.training import fit, fit_ensemble

MEMBERS, ALONE, STEPS, SIZE, CLASSES = 256, 4, 100, 14, 10
NETS: dict[str, Callable[[], nn.Module]] = {
    "MLP": lambda: MLP(SIZE * SIZE, CLASSES, width=64),
    "CNN": lambda: CNN(1, CLASSES, width=8, size=SIZE, depth=2),
}


def ensembles(trial: Trial) -> Iterator[Row]:
    """256 networks; alone only a few of them are trained, whose mean time stands for that of the others."""
    for name in trial.within(NETS):
        members, steps = trial.scaled(MEMBERS, 2), trial.scaled(STEPS, 2)
        torch.manual_seed(0)
        models = [NETS[name]().to(trial.device) for _ in range(members)]
        alone = [copy.deepcopy(model) for model in models[:ALONE]]
        data = Dataset(torch.rand(2048, 1, SIZE, SIZE), torch.randint(CLASSES, (2048,)), classes=CLASSES)
        loader = Batches(data, 64, device=trial.device)
        ways = {
            "ensemble": _together(models, loader, steps),
            "a few alone": _one_by_one(alone, loader, steps),
        }
        times = interleaved(ways, repeats=trial.scaled(3), warmup=1, device=trial.device)
        times["all alone"] = times["a few alone"] * members / len(alone)
        gain = times["all alone"] / times["ensemble"]
        title = f"{members} {name}s, one by one / as one ({len(alone)} alone, times {members / len(alone):g})"
        yield {"name": title, "times faster": gain, "at least": 8, "met": gain >= 8, "seconds": times}


def _together(models: list[nn.Module], loader: Batches, steps: int) -> Callable[[], object]:
    return lambda: fit_ensemble(models, nn.functional.cross_entropy, loader, steps=steps, seeds=range(len(models)))


def _one_by_one(models: list[nn.Module], loader: Batches, steps: int) -> Callable[[], object]:
    def separate() -> None:
        for seed, model in enumerate(models):
            own = Batches(loader.dataset, loader.batch_size, seed, loader.device)
            fit(model, Supervised(nn.functional.cross_entropy), own, steps=steps, seed=seed)

    return separate
