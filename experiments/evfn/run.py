r"""Charged bodies: how far below the error floor of the symmetry can a network come?

python experiments/evfn/run.py --out runs/evfn
python experiments/evfn/run.py --out runs/evfn/free --steps 1000 \
    --nets EGNN "EGNN, free" "EGNN, ridge" "EGNN, resilience" "EGNN, equality" "EGNN, modulation"
python experiments/evfn/run.py --out runs/evfn --systems nbody20 nbody20-gravity nbody20-lorentz  # for a GPU
"""

import argparse
import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student
from torch import nn

import learnsym as ls
from learnsym.data.dynamics import ChargedSystem, LorentzField, NormClamp, UniformField, symmetry_certificate
from learnsym.nets.points import EGNN, GNN, ClofNet, ClofNetE3, with_free_paths
from learnsym.relax.points import AbsoluteCoordinates

INPUTS, OUTPUTS = ls.actions.PointCloud(vectors=1, scalars=1), ls.actions.PointCloud()
SYSTEMS = {
    "nbody5": ChargedSystem(),
    "nbody5-norm-clamp": ChargedSystem(clamp=NormClamp()),
    "nbody20": ChargedSystem(bodies=20),
    "nbody20-gravity": ChargedSystem(bodies=20, field=UniformField()),
    "nbody20-lorentz": ChargedSystem(bodies=20, field=LorentzField()),
}
BATCH = 100
COST = 0.01
"""Of half the square of a gain; errors are 5e-3 to 2e-2."""
CONSTRAINTS: dict[str, Callable[[Any, int], Any]] = {
    "EGNN, ridge": lambda task, _: ls.objectives.GainRidge(task, cost=COST),
    "EGNN, resilience": lambda task, _: ls.objectives.ResilientConstraint(task, cost=COST),
    "EGNN, equality": lambda task, _: ls.objectives.EqualityConstraint(task),
    "EGNN, modulation": lambda task, examples: ls.objectives.ModulatedGains(task, examples),
}
"""What holds the gains of the free paths beside the layers of EGNN."""
Row = dict[str, Any]


def relaxed() -> nn.Module:
    return AbsoluteCoordinates(lambda inputs: ClofNet(inputs, OUTPUTS), INPUTS)


def free(start: float) -> nn.Module:
    return with_free_paths(EGNN(INPUTS, OUTPUTS), start=start)


NETS: dict[str, Callable[[], nn.Module]] = {
    "GNN": lambda: GNN(INPUTS, OUTPUTS),
    "EGNN": lambda: EGNN(INPUTS, OUTPUTS),
    "ClofNet": lambda: ClofNet(INPUTS, OUTPUTS),
    "ClofNet, E(3)": lambda: ClofNetE3(INPUTS, OUTPUTS),
    "ClofNet, absolute": relaxed,
}
FREE: dict[str, Callable[[], nn.Module]] = {
    "EGNN, free": lambda: free(start=1.0),
    "EGNN, ridge": lambda: free(start=1.0),
    "EGNN, resilience": lambda: free(start=1.0),
    "EGNN, equality": lambda: free(start=1.0),
    "EGNN, modulation": lambda: free(start=0.0),
}
CUT = "EGNN, equality"
"""The network whose free paths are cut off, for validation as well."""


class Best:
    """The weights with the smallest error on the validation split: graph networks fit 3,000 examples too well."""

    def __init__(self, data: ls.data.Dataset, cut: bool = False) -> None:
        self.data, self.cut, self.error, self.state = data, cut, float("inf"), {}

    def __call__(self, net: nn.Module) -> dict[str, float]:
        if self.cut:
            net = ls.relax.truncate(copy.deepcopy(net))
        found = error(net, self.data)
        if found < self.error:
            self.error, self.state = found, copy.deepcopy(net.state_dict())
        return {"task": found}


def trained(name: str, splits: ls.data.Splits, seed: int, steps: int, device: str) -> tuple[nn.Module, Row]:
    """A network, the seconds of its training, and its degrees at the end of it."""
    torch.manual_seed(seed)
    net = {**NETS, **FREE}[name]().to(device)
    objective: Any = ls.objectives.Supervised(ls.objectives.mse)
    if name in CONSTRAINTS:
        objective = CONSTRAINTS[name](objective, len(splits.train))
    if hasattr(net, "penalty"):
        objective = ls.objectives.WithPrior(ls.objectives.mse, len(splits.train), weight=1e-3)
    batches = ls.data.Batches(splits.train, BATCH, seed, device)
    options = ls.training.OptimiserConfig(lr=2e-3, weight_decay=0.1)
    train = ls.training.TrainConfig(eval_every=max(1, steps // 10))
    best, started = Best(splits.val, cut=name == CUT), time.perf_counter()
    ls.training.fit(net, objective, batches, steps=steps, optimiser=options, train=train, seed=seed, validate=best)
    seconds, degrees = time.perf_counter() - started, ls.degrees(net)
    net.load_state_dict(best.state)
    found = {"degrees": [d.estimate for d in degrees], "statuses": [d.status for d in degrees], "seconds": seconds}
    return net, found


def error(net: nn.Module, data: ls.data.Dataset) -> float:
    return ls.training.evaluate(net, data, ls.objectives.mse)["task"]


def moved_error(net: nn.Module, data: ls.data.Dataset, seed: int = 0) -> float:
    """The error on the test set turned at random: of another law where rotations are no symmetry."""
    g = ls.groups.SO3().haar(len(data), generator=torch.Generator().manual_seed(seed))
    return error(net, ls.data.Dataset(INPUTS(g, data.x), OUTPUTS(g, data.y)))


def row(system: str, name: str, seed: int, steps: int, device: str) -> Row:
    splits = ls.data.load_splits(ls.data.DataConfig(name=system))
    net, training = trained(name, splits, seed, steps, device)
    symmetry = ls.Symmetry(ls.groups.SO3(), INPUTS, OUTPUTS)
    defect = ls.measure.equivariance_error(net, splits.test.x[:500].to(device), symmetry)
    return {
        "system": system,
        "net": name,
        "seed": seed,
        "steps": steps,
        "parameters": ls.nets.parameter_count(net),
        "train": error(net, splits.train),
        "val": error(net, splits.val),
        "test": error(net, splits.test),
        "turned": moved_error(net, splits.test),
        "defect": defect.mean,
        **training,
    }


def floor(system: str, count: int) -> Row:
    """What the simulator itself says, and the error of moving on in a straight line."""
    simulator = SYSTEMS[system]
    x = simulator.dataset(count, seed=1).x.double()
    so3 = ls.Symmetry(ls.groups.SO3(), INPUTS, OUTPUTS)
    found = symmetry_certificate(simulator.future, x, [so3])
    straight = x[..., :3] + x[..., 3:6] - simulator.future(x)
    return {"system": system, "net": "floor", "certificate": found.to_dict(), "linear": straight.square().mean().item()}


def interval(values: list[float]) -> str:
    mean, half = np.mean(values), 0.0
    if len(values) > 1:
        half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{mean:.5f} [{mean - half:.5f}, {mean + half:.5f}]"


def table(rows: list[Row]) -> str:
    lines = [
        "| system | network | steps | parameters | train | test | test, turned | equivariance error | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    kinds = dict.fromkeys((r["system"], r["net"], str(r["steps"])) for r in rows if r["net"] != "floor")
    for kind in kinds:
        same = [r for r in rows if (r["system"], r["net"], str(r.get("steps"))) == kind]
        cells = [interval([r[key] for r in same]) for key in ("train", "test", "turned")]
        more = [f"{np.mean([r['defect'] for r in same]):.1e}", f"{np.mean([r['seconds'] for r in same]):.0f}"]
        lines.append(f"| {' | '.join([*kind, format(same[0]['parameters'], ','), *cells, *more])} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--systems", nargs="+", default=["nbody5"], choices=SYSTEMS)
    parser.add_argument("--nets", nargs="+", default=list(NETS), choices={**NETS, **FREE})
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--floor", type=int, default=6000, help="examples of the certificate")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "rows.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(r["system"], r["net"], r.get("seed"), r.get("steps")) for r in rows}
    planned = [(system, "floor", None, None) for system in options.systems]
    planned += [
        (s, net, seed, options.steps) for s in options.systems for seed in options.seeds for net in options.nets
    ]
    for system, name, seed, steps in planned:
        if (system, name, seed, steps) in done:
            continue
        found = floor(system, options.floor) if name == "floor" else row(system, name, seed, steps, options.device)
        rows.append(found)
        with file.open("a") as stream:
            stream.write(json.dumps(found) + "\n")
        print(json.dumps(found), flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
