"""Digits, networks and spaces of kernels that all parts share."""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import learnsym as ls
from learnsym.objectives import FullOrbit, MovedExamples, Supervised, mse
from learnsym.relax import AdmissibleSpace, FlatPixels, KernelPixels, Spanned

C4 = ls.groups.Cyclic(4)
TURNS = ls.symmetry_by_name("quarter_turns2d")
CROSS = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
SKEW = torch.tensor([[1, 1, 0], [1, 0, 1], [0, 1, 0]])
SIZE, BATCH, RATE = 14, 100, 0.01
OBJECTIVES = {
    "plain": Supervised(mse),
    "full orbit": FullOrbit(mse, TURNS),
    "random element": MovedExamples(mse, TURNS),
}


def digits(split: str, count: int, seed: int = 0) -> ls.data.Dataset:
    """Some digits at 14 x 14 pixels, standardised, with one-hot targets."""
    data = ls.data.load("mnist", split=split)
    chosen = torch.randperm(len(data.y), generator=torch.Generator().manual_seed(seed))[:count]
    x = F.avg_pool2d(data.x[chosen], 2)
    return ls.data.Dataset((x - 0.13) / 0.27, F.one_hot(data.y[chosen], 10).float())


def network(channels: tuple[int, int, int] = (8, 16, 16)) -> nn.Sequential:
    """Three convolutions with tanh, one pooling from 14 to 7 pixels, normalisation, and a linear map.

    Between the linear maps nothing moves under quarter turns: channels stay, and 14 and 7 pixels halve exactly.
    """
    a, b, c = channels
    side = SIZE // 2
    return nn.Sequential(
        nn.Conv2d(1, a, 3, padding=1),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(a, b, 3, padding=1),
        nn.Tanh(),
        nn.Conv2d(b, c, 3, padding=1),
        nn.Tanh(),
        nn.LayerNorm([c, side, side], elementwise_affine=False),
        nn.Flatten(),
        nn.Linear(c * side**2, 10),
    )


KERNELS, HEAD = ("0.weight", "3.weight", "5.weight"), "9.weight"


def slanted(seed: int) -> AdmissibleSpace:
    """The cross in random coordinates: five unit directions that span it and are not orthonormal."""
    cross = AdmissibleSpace.supported(KernelPixels(3), C4, CROSS).spanning
    mixed = cross @ torch.randn(5, 5, generator=torch.Generator().manual_seed(seed), dtype=cross.dtype)
    return AdmissibleSpace(KernelPixels(3), C4, mixed / mixed.norm(dim=0))


def spaces(case: str, seed: int) -> dict[str, AdmissibleSpace]:
    """The spaces of all weights: kernels as the case says, everything for the linear map."""
    kernel = {
        "cross": lambda: AdmissibleSpace.supported(KernelPixels(3), C4, CROSS),
        "skew": lambda: AdmissibleSpace.supported(KernelPixels(3), C4, SKEW),
        "slanted cross": lambda: slanted(seed),
        "all": lambda: AdmissibleSpace(KernelPixels(3), C4),
    }[case]()
    return dict.fromkeys(KERNELS, kernel) | {HEAD: AdmissibleSpace(FlatPixels(SIZE // 2), C4)}


def trained(model: nn.Module, objective: Any, data: ls.data.Dataset, epochs: int, lr: float, seed: int) -> list[float]:
    """Gradient descent; the distance to equivariance before it and after every step."""
    loader = ls.data.Batches(data, BATCH, seed=seed)
    distances = [distance(model)]

    def validate(model: nn.Module) -> dict[str, float]:
        distances.append(distance(model))
        return {"distance": distances[-1]}

    ls.training.fit(
        model,
        objective,
        loader,
        steps=epochs * loader.steps_per_epoch,
        optimiser=ls.training.OptimiserConfig(name="sgd", lr=lr, momentum=0.0, weight_decay=0.0, schedule="constant"),
        train=ls.training.TrainConfig(eval_every=1),
        seed=seed,
        validate=validate,
    )
    return distances


def distance(model: nn.Module) -> float:
    return ls.measure.distance_to_equivariance(model).total


def equivariant(
    case: str, seed: int, data: ls.data.Dataset, epochs: int, lr: float, channels: tuple[int, int, int] = (8, 16, 16)
) -> nn.Module:
    """A plain network on `E`, trained there in orthonormal coordinates."""
    torch.manual_seed(seed)
    exact = Spanned(network(channels), spaces(case, seed)).exact()
    trained(exact, OBJECTIVES["plain"], data, epochs, lr, seed)
    return exact.plain()


def freed(source: nn.Module, case: str, seed: int) -> Spanned:
    """A network of the whole space `L` that starts at a point of `E`."""
    return Spanned(copy.deepcopy(source), spaces(case, seed))


@torch.no_grad()
def accuracy(model: nn.Module, data: ls.data.Dataset) -> float:
    """Of digits in all four quarter turns."""
    model.eval()
    labels = data.y.argmax(1)
    found = torch.stack([model(data.x.rot90(k, (2, 3))).argmax(1) for k in range(4)])
    return float((found == labels).double().mean())


def of(rows: list[dict[str, Any]], **asked: Any) -> list[dict[str, Any]]:
    """The rows that have given values."""
    return [row for row in rows if all(row[key] == value for key, value in asked.items())]


def tensor(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
