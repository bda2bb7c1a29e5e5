"""What a penalty adds to a step of training, and what symmetry by architecture costs when a network is used.

python experiments/remul/timing.py --out runs/remul
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.nets.points import EGNN
from learnsym.nets.points.gatr import GATr
from learnsym.nets.points.transformer import PointTransformer
from learnsym.objectives import Candidate, Objective, Remul, Supervised, mse

INPUTS, OUTPUTS = ls.actions.PointCloud(vectors=1, scalars=1), ls.actions.PointCloud()
SYMMETRY = ls.Symmetry(ls.groups.SO3(), INPUTS, OUTPUTS)
FRACTIONS = (1.0, 0.5, 0.25, 0.125)
SIZES = {"small": (64, 2, 4, 32), "published": (384, 10, 8, 64)}
"""Width, blocks, heads and batch."""


def medians(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Milliseconds of CPU time of each call, which take turns, so that a busy machine is busy for all."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for place in range(rounds + 2):
        for name, call in calls.items():
            started = time.process_time()
            call()
            if place >= 2:
                found[name].append(1e3 * (time.process_time() - started))
    return {name: median(values) for name, values in found.items()}


def step(net: nn.Module, objective: Objective, batch: tuple[Tensor, Tensor], times: int = 1) -> Callable[[], None]:
    """As many updates, in a loop of its own: `training.fit` also records losses, which would be timed, too."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-5)

    def call() -> None:
        for _ in range(times):
            optimiser.zero_grad(set_to_none=True)
            objective(net, batch).total.backward()
            optimiser.step()

    return call


def training(size: str, rounds: int) -> dict[str, float]:
    """Of a step, with and without penalties on parts of the batch; four steps where every 4th has one."""
    width, blocks, heads, count = SIZES[size]
    net = PointTransformer(INPUTS, OUTPUTS, width=width, blocks=blocks, heads=heads)
    batch = torch.randn(count, 4, 7), torch.randn(count, 4, 3)
    calls = {"plain": step(net, Supervised(mse), batch)}
    for fraction in FRACTIONS:
        penalty = Candidate(symmetry=SYMMETRY, mode="anchored", fraction=fraction)
        calls[f"fraction {fraction:g}"] = step(net, Remul(mse, penalty), batch)
    seldom = Remul(mse, Candidate(symmetry=SYMMETRY, mode="anchored"), every=4)
    found = medians(calls | {"every 4th": step(net, seldom, batch, 4)}, rounds)
    found["every 4th"] /= 4
    return found


def networks(size: str) -> dict[str, nn.Module]:
    """The plain transformer and its exact rivals; EGNN also with about as many weights as the transformer."""
    if size == "small":
        return {
            "PointTransformer": PointTransformer(INPUTS, OUTPUTS, width=64, blocks=2, heads=4),
            "GATr": GATr(INPUTS, OUTPUTS, blocks=2, channels=4, scalars=64, heads=4),
            "EGNN": EGNN(INPUTS, OUTPUTS, hidden=32, layers=3),
        }
    return {
        "PointTransformer": PointTransformer(INPUTS, OUTPUTS),
        "GATr": GATr(INPUTS, OUTPUTS),
        "EGNN": EGNN(INPUTS, OUTPUTS),
        "EGNN, same number of weights": EGNN(INPUTS, OUTPUTS, hidden=384, layers=8),
    }


def using(size: str, rounds: int) -> dict[str, dict[str, float]]:
    """Of a forward pass of 64 clouds of 4 points without gradients, and of a training step."""
    nets = networks(size)
    x, y = torch.randn(64, 4, 7), torch.randn(64, 4, 3)

    def forward(net: nn.Module) -> Callable[[], Tensor]:
        return torch.no_grad()(lambda: net(x))

    passes = medians({name: forward(net.eval()) for name, net in nets.items()}, rounds)
    steps = medians({name: step(net.train(), Supervised(mse), (x, y)) for name, net in nets.items()}, rounds)
    weights = {name: float(ls.nets.parameter_count(net)) for name, net in nets.items()}
    return {"weights": weights, "forward": passes, "step": steps}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, object] = {"torch": torch.__version__, "unit": "ms of CPU time, one thread"}
    for size in SIZES:
        rounds = options.rounds * (10 if size == "small" else 1)
        found[f"training, {size}"] = training(size, rounds)
        found[f"using, {size}"] = using(size, rounds)
        print(json.dumps(found, indent=1), flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "timing.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
