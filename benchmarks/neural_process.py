"""A training step of neural processes against the twin that sees coordinates: 16 tasks of 64 values and 256 targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from benchmarks.timing import interleaved, ratio
from learnsym.nets.processes import TNP, BankedBody, ConvBody, ConvCNP, TranslationTNP
from learnsym.objectives import GaussianLikelihood, Supervised
from learnsym.relax.processes import ApproximateProcess, FixedFunctions, WithCoordinates
from learnsym.tasks import Tasks

BATCH, CONTEXT, TARGETS = 16, 64, 256
LATTICE = {"spacing": 0.1, "points": 130}


def run(device: str, repeats: int) -> Iterator[dict[str, Any]]:
    """Forward and backward pass of the likelihood."""
    torch.manual_seed(0)
    context_x, target_x = (reach * (2 * torch.rand(BATCH, n, 1) - 1) for reach, n in ((2, CONTEXT), (4, TARGETS)))
    x = Tasks(context_x, torch.randn(BATCH, CONTEXT, 1), torch.ones(BATCH, CONTEXT), target_x).inputs()
    y = torch.cat([torch.randn(BATCH, TARGETS, 1), torch.ones(BATCH, TARGETS, 1)], -1)
    batch = {key: tensor.to(device) for key, tensor in x.items()}, y.to(device)
    for name, (other, plain) in pairs().items():
        nets = {"other": other.to(device), "plain": plain.to(device)}
        times = interleaved({key: _step(net, batch) for key, net in nets.items()}, repeats=repeats, device=device)
        yield {"name": f"{name} / plain", "ratio": ratio(times, "other", "plain"), "times": times}


def pairs() -> dict[str, tuple[nn.Module, nn.Module]]:
    """Processes with the same widths, and the twin that sees coordinates."""
    plain = WithCoordinates(_conv(1))
    banked = BankedBody(1)
    return {
        "ConvCNP": (_conv(0), plain),
        "ApproximateProcess(ConvCNP)": (_relaxed(_conv(16), 16), plain),
        "ApproximateProcess(banks)": (_relaxed(ConvCNP(banked, **LATTICE), banked.extras), plain),
        "TranslationTNP": (TranslationTNP(1), TNP(1)),
        "ApproximateProcess(TranslationTNP)": (_relaxed(TranslationTNP(1, extras=16), 16), TNP(1)),
    }


def _conv(extras: int) -> ConvCNP:
    return ConvCNP(ConvBody(1, extras=extras), **LATTICE)


def _relaxed(net: nn.Module, count: int) -> ApproximateProcess:
    return ApproximateProcess(net, FixedFunctions(1, count, -2.0, 2.0))


def _step(net: nn.Module, batch: tuple[dict[str, torch.Tensor], torch.Tensor]) -> Callable[[], None]:
    objective = Supervised(GaussianLikelihood())

    def step() -> None:
        net.zero_grad()
        objective(net, batch).total.backward()

    return step
