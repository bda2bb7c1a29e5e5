"""What the parts share: a device, a size, a time limit, timings in turn, and whether a step waits for its device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from benchmarks.timing import interleaved, ratio
from learnsym.data import Dataset
from learnsym.objectives import Objective

T = TypeVar("T")
Row = dict[str, Any]
Step = Callable[[], object]


@dataclass
class Trial:
    """One part of the measurements: where it runs, how large it is, and when it has to end.

    Args:
        device: `cpu` or `cuda`.
        size: 1 for what a GPU is given; a share of it for a dry run.
        end: of its time, in seconds of `time.monotonic`.
    """

    device: str
    size: float
    end: float
    left_out: list[str] = field(default_factory=list)
    """What there was no time for."""

    def scaled(self, number: int, least: int = 1) -> int:
        """A number of things at this size."""
        return max(least, round(number * self.size))

    def left(self) -> float:
        """Seconds that are left."""
        return self.end - time.monotonic()

    def within(self, cases: Iterable[T], name: Callable[[T], str] = str) -> Iterator[T]:
        """The cases, as long as the time that is left is more than the longest of them took; the others are named."""
        longest = 0.0
        for case in cases:
            if self.left() <= longest:
                self.left_out.append(name(case))
                continue
            start = time.monotonic()
            yield case
            longest = max(longest, time.monotonic() - start)

    def row(self, name: str, ways: Mapping[str, Step], *, target: float | None = None, **more: object) -> Row:
        """How long the first way takes in units of the last, called in turn; the target is an upper limit."""
        first, *_, last = ways
        times = interleaved(ways, repeats=self.scaled(15, 2), warmup=self.scaled(3), device=self.device)
        value = ratio(times, first, last)
        met = None if target is None else value <= target
        return {"name": name, "ratio": value, "target": target, "met": met, "seconds": times, **more}


def step_of(model: nn.Module, objective: Objective, batch: object, capturable: bool = False) -> Step:
    """A training step: forward and backward pass, and the update of all parameters."""
    held = objective.parameters() if isinstance(objective, nn.Module) else ()
    parameters = [p for p in {id(p): p for p in (*model.parameters(), *held)}.values() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=1e-4, capturable=capturable)

    def step() -> None:
        optimiser.zero_grad()
        objective(model, batch).total.backward()
        optimiser.step()

    return step


def waits(step: Step, device: str) -> str:
    """`no`, or what a step waits for on a GPU, which CUDA says itself; the first call may bring data there."""
    if device != "cuda":
        return "not looked at: only a GPU says so (on a CPU tests/methods/test_steps_do_not_wait.py does)"
    step()
    torch.cuda.synchronize()
    try:
        torch.cuda.set_sync_debug_mode("error")
        step()
    except RuntimeError as error:
        return str(error).splitlines()[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return "no"


@torch.no_grad()
def mean_score(
    net: nn.Module, data: Dataset, score: Callable[[Tensor, Tensor], Tensor], device: str, batch: int = 256
) -> float:
    """The mean over all examples of a score of outputs and targets."""
    net.eval()
    scores = []
    for rows in torch.arange(len(data)).split(batch):
        x, y = data.batch(rows)
        scores.append(score(net(x.to(device)), y.to(device)))
    return float(torch.cat(scores).mean())
