"""A training step of neural processes, 16 tasks of 64 values and 256 targets: forward, backward, AdamW.

Against the twin that sees coordinates, and against public implementations of the same sizes where they can be
imported, see `public_processes`. None of those takes extra inputs: the exact network of theirs is compared with the
relaxed one of ours, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import public_processes as public
from benchmarks.timing import interleaved, ratio
from learnsym.nets import parameter_count
from learnsym.nets.processes import TNP, BankedBody, ConvBody, ConvCNP, TranslationTNP
from learnsym.objectives import GaussianLikelihood
from learnsym.relax.processes import ApproximateProcess, FixedFunctions, WithCoordinates
from learnsym.tasks import Tasks, padded_targets

BATCH, CONTEXT, TARGETS = 16, 64, 256
REACH, BOX, EXTRAS = 4.0, 2.0, 16
WIDTH, DEPTH, KERNEL, POINTS = 32, 5, 9, 128
"""Of convolutional processes, as published."""
ATTENTION: dict[str, int] = {"width": 64, "depth": 3, "heads": 4}
TARGET = 1.0
Step = Callable[[], None]


def run(device: str, repeats: int) -> Iterator[dict[str, Any]]:
    """One row for each pair: ours over the plain twin, and over public ones."""
    torch.manual_seed(0)
    parts = _tasks(device)
    for theirs, ours in (conv_processes(), transformers()):
        losses = {name: _own(net.to(device), parts) for name, net in ours.items()}
        losses |= {name: (net.to(device), partial(loss, parts)) for name, (net, loss) in theirs.items()}
        times = interleaved({name: _step(*each) for name, each in losses.items()}, repeats=repeats, device=device)
        sizes = {name: parameter_count(net) for name, (net, _) in losses.items()}
        first, *others, plain = ours
        for name in (first, *others):
            yield _row(name, plain, times, sizes, None)
        for peer in theirs:
            yield from (_row(name, peer, times, sizes, TARGET) for name in (first, others[0]))


def conv_processes() -> tuple[dict[str, public.Process], dict[str, nn.Module]]:
    """Public ones, and ours: the exact one, relaxed ones, and the plain twin at last."""
    peers = {}
    if public.importable("tnp", "check_shapes"):
        peers["ConvCNP of tnp"] = public.conv_cnp(WIDTH, DEPTH, KERNEL, POINTS, REACH)
    if public.importable("neuralprocesses"):
        peers["ConvCNP of neuralprocesses"] = public.conv_gnp(WIDTH, DEPTH, KERNEL, int(POINTS / (2 * REACH)))
    banked = BankedBody(1, WIDTH, DEPTH, KERNEL)
    return peers, {
        "ConvCNP": _conv(0),
        "ApproximateProcess(ConvCNP)": _relaxed(_conv(EXTRAS), EXTRAS),
        "ApproximateProcess(banks)": _relaxed(_on_lattice(banked), banked.extras),
        "ConvCNP with coordinates": WithCoordinates(_conv(1)),
    }


def transformers() -> tuple[dict[str, public.Process], dict[str, nn.Module]]:
    """Public ones, and ours: the exact one, the relaxed one, and the plain twin at last."""
    peers = {}
    if public.importable("tnp", "tetnp", "check_shapes"):
        peers["TE-TNP of tetnp"] = public.translation_tnp(**ATTENTION, hidden=2 * (ATTENTION["heads"] + 1))
    return peers, {
        "TranslationTNP": TranslationTNP(1, **ATTENTION),
        "ApproximateProcess(TranslationTNP)": _relaxed(TranslationTNP(1, **ATTENTION, extras=EXTRAS), EXTRAS),
        "TNP": TNP(1, **ATTENTION),
    }


def _row(
    name: str, other: str, times: Mapping[str, float], sizes: Mapping[str, int], target: float | None
) -> dict[str, Any]:
    return {
        "name": f"{name} / {other}, train step",
        "ratio": ratio(times, name, other),
        "target": target,
        "times": {each: times[each] for each in (name, other)},
        "note": f"{sizes[name]:,} and {sizes[other]:,} weights",
    }


def _tasks(device: str) -> public.Parts:
    """Context and targets at random places."""
    context_x, target_x = (
        reach * (2 * torch.rand(BATCH, n, 1, device=device) - 1) for reach, n in ((BOX, CONTEXT), (REACH, TARGETS))
    )
    return context_x, torch.randn_like(context_x), target_x, torch.randn_like(target_x)


def _conv(extras: int) -> ConvCNP:
    return _on_lattice(ConvBody(1, WIDTH, DEPTH, KERNEL, extras))


def _on_lattice(body: nn.Module) -> ConvCNP:
    return ConvCNP(body, spacing=2 * REACH / POINTS, points=POINTS)


def _relaxed(net: nn.Module, count: int) -> ApproximateProcess:
    return ApproximateProcess(net, FixedFunctions(1, count, -BOX, BOX))


def _own(net: nn.Module, parts: public.Parts) -> tuple[nn.Module, Callable[[], Tensor]]:
    """A network of ours with its loss on these tasks."""
    context_x, context_y, target_x, target_y = parts
    x = Tasks(context_x, context_y, torch.ones_like(context_x[..., 0]), target_x).inputs()
    y, likelihood = padded_targets([*target_y]), GaussianLikelihood()
    return net, lambda: likelihood(net(x), y)


def _step(net: nn.Module, loss: Callable[[], Tensor]) -> Step:
    optimiser = torch.optim.AdamW(net.parameters(), 5e-4)

    def step() -> None:
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()

    return step
