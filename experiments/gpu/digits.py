"""Double digits at full size: 56 x 56 pixels, 10,000 pictures, 100 classes (Veefkind, Cesa 2024, arXiv 2406.03946)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from trial import Row, Trial, mean_score

import learnsym as ls
from learnsym.data import Batches, Dataset, double_digits
from learnsym.equivariant import FieldBatchNorm, FieldType, Gated, SteerableConv
from learnsym.groups import O2, Cyclic, Group
from learnsym.objectives import Objective
from learnsym.relax import Likelihood, ProbabilisticSteerableConv, peaked
from learnsym.training import OptimiserConfig, fit

EXAMPLES, TESTS, EPOCHS, BATCH = 10_000, 10_000, 50, 256
BAND_LIMIT, INVARIANTS, TRIED = 4, 64, 20
PLANTED: dict[str, Group] = {"C_4": Cyclic(4), "O(2)": O2()}

Layer = Callable[..., nn.Module]


def digits(trial: Trial) -> Iterator[Row]:
    """Accuracy of exact, probabilistic and free networks, after as many epochs as there is time for, at most 50."""
    try:
        data = {key: _splits(trial, group) for key, group in PLANTED.items()}
    except (ValueError, OSError) as error:
        yield {"name": "double digits", "not run": " ".join(str(error).split())}
        return
    epochs = _affordable(trial, data)
    for key in PLANTED:
        for arm in ARMS:
            yield _row(trial, key, arm, data[key], epochs)


def _splits(trial: Trial, group: Group) -> tuple[Dataset, Dataset]:
    sizes = {"train": trial.scaled(EXAMPLES, BATCH), "test": trial.scaled(TESTS, 16)}
    found = [double_digits(count, group, split) for split, count in sizes.items()]
    return found[0], found[1]


def _affordable(trial: Trial, data: dict[str, tuple[Dataset, Dataset]]) -> int:
    """The number of epochs of all runs together that fit into four fifths of the time, from a few steps of each arm."""
    steps, train = 0.0, next(iter(data.values()))[0]
    for arm in ARMS:
        _trained(trial, arm, train, 2)
        start = time.monotonic()
        _trained(trial, arm, train, trial.scaled(TRIED, 2))
        steps += (time.monotonic() - start) / trial.scaled(TRIED, 2)
    each = steps * len(PLANTED) * -(-len(train) // BATCH)
    return min(trial.scaled(EPOCHS), max(1, int(0.8 * trial.left() / each)))


def _row(trial: Trial, key: str, arm: str, data: tuple[Dataset, Dataset], epochs: int) -> Row:
    start = time.monotonic()
    net = _trained(trial, arm, data[0], epochs * -(-len(data[0]) // BATCH))
    row: Row = {
        "name": f"planted {key}, {arm}",
        "accuracy": mean_score(net, data[1], _is_right, trial.device),
        "epochs": epochs,
    }
    if epochs < EPOCHS:
        row["shortened"] = f"{epochs} epochs of {EPOCHS}"
    weights = sum(p.numel() for p in net.parameters())
    return row | {"weights": weights, "seconds": {"training": time.monotonic() - start}}


def _trained(trial: Trial, arm: str, train: Dataset, steps: int) -> nn.Module:
    """AdamW with a warm-up over three tenths of the steps and a half cosine."""
    torch.manual_seed(0)
    net = _network(ARMS[arm]).to(trial.device)
    for module in net.modules():
        if isinstance(module, Likelihood):
            peaked(module, 4.0)
    rates = OptimiserConfig(lr=3e-3, symmetry_lr=0.1, weight_decay=0.0, warmup=3 * steps // 10)
    loader = Batches(train, BATCH, device=trial.device)
    fit(net, _objective(arm, len(train)), loader, steps=steps, optimiser=rates)
    return net


def _objective(arm: str, examples: int) -> Objective:
    if arm == "probabilistic":
        return ls.objectives.Probabilistic(F.cross_entropy, previous=0.05, uniform=0.05, prior=1 / examples)
    return ls.objectives.Supervised(F.cross_entropy)


def _network(conv: Layer) -> nn.Module:
    """Fields at 28, 14 and 7 pixels, then invariants of each place, which a layer that sees all places joins."""
    image, invariants = FieldType.trivial(O2(), 1), FieldType.trivial(O2(), INVARIANTS)
    stages, source = [], image
    for width in (2, 4, 8):
        gated = Gated(_fields(width))
        stages += [conv(source, gated.in_type, 6, stride=2, padding=2), FieldBatchNorm(gated.in_type), gated]
        source = gated.out_type
    return nn.Sequential(
        *stages,
        *(conv(source, invariants, 3, padding=1), nn.BatchNorm2d(INVARIANTS), nn.ELU(), nn.AvgPool2d(3, 2)),
        *(conv(invariants, invariants, 3), nn.Flatten(), nn.BatchNorm1d(INVARIANTS), nn.ELU()),
        nn.Linear(INVARIANTS, 100),
    )


def _fields(width: int) -> FieldType:
    """Scalars, pseudoscalars, vectors and frequency 2 of O(2)."""
    return FieldType.irreps(O2(), {0: 2 * width, (0, 1): width, 1: 2 * width, 2: 2 * width})


def _learned(source: FieldType, target: FieldType, size: int, **options: Any) -> nn.Module:
    """A likelihood for each layer."""
    likelihood = Likelihood(source.group, BAND_LIMIT, band_limit_out=BAND_LIMIT)
    return ProbabilisticSteerableConv(source, target, size, likelihood=likelihood, **options)


def _free(source: FieldType, target: FieldType, size: int, **options: Any) -> nn.Module:
    """An ordinary convolution of the same channels."""
    return nn.Conv2d(source.size, target.size, size, **options)


ARMS: dict[str, Layer] = {"probabilistic": _learned, "exact": SteerableConv, "free": _free}


def _is_right(outputs: Tensor, y: Tensor) -> Tensor:
    return (outputs.argmax(1) == y).float()
