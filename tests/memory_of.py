"""What measurements take of memory: python -m tests.memory_of WORK EXAMPLES, in a process of its own.

The largest resident set of a process is read before and after the work, so that the data and all imports are in the
first number; a small warm-up makes what is made once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym._batches import batch_size_within
from learnsym.objectives.marginal_likelihood.likelihoods import Classes
from learnsym.objectives.marginal_likelihood.whole import whole_evidence

SIDE, CHANNELS = 48, 3
BYTES = 4 * CHANNELS * SIDE**2
"""Of one example."""


def network() -> nn.Module:
    """A network whose activations of an example are ten times as large as the example."""
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(CHANNELS, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*convolutions, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 4)).eval()


def measured(x: Tensor, memory: float) -> object:
    """The equivariance error, as `learnsym measure` asks for it."""
    model = network()
    rows = batch_size_within(model, x, memory)
    return ls.measure.equivariance_error(model, x, "rotation2d", samples=2, batch_size=rows)


def posed(x: Tensor, memory: float) -> object:
    """The law of poses."""
    return ls.measure.pose_posterior(x, "rotation2d", steps=2, bootstrap=10, memory=memory)


def closed(x: Tensor, memory: float) -> object:
    """The closure test of a mirror."""
    mirror = torch.tensor([[-1.0, 0.0], [0.0, 1.0]])
    return ls.measure.closure_test(x, "orthogonal2d", mirror, steps=2, memory=memory)


def evident(x: Tensor, memory: float) -> object:
    """Laplace's evidence."""
    model = network()
    precisions = {name: torch.ones(()) for name, _ in model.named_parameters()}
    rows = batch_size_within(model, x, memory)
    return whole_evidence(model, precisions, x, torch.arange(len(x)) % 4, Classes(), batch=rows)


WORKS: dict[str, Callable[[Tensor, float], object]] = {
    "measured": measured,
    "posed": posed,
    "closed": closed,
    "evident": evident,
}


def grown(work: str, count: int, memory: float) -> int:
    """Bytes by which the largest resident set grows while a work is done on so many examples."""
    torch.set_num_threads(1)
    x = torch.rand(count, CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    WORKS[work](x[:128], memory)
    before = _high_water()
    WORKS[work](x, memory)
    return _high_water() - before


def _high_water() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf8").splitlines()
    return 2**10 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(grown(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
