"""Which group does the charged N-body benchmark have, and can a network find the axis that a field leaves?

python experiments/nbody_symmetry/run.py --part certificates --out runs/nbody_symmetry
python experiments/nbody_symmetry/run.py --part axis --out runs/nbody_symmetry
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

import learnsym as ls
from learnsym.data.dynamics import (
    ChargedSystem,
    GravitySystem,
    LorentzField,
    NoClamp,
    NormClamp,
    UniformField,
    standard_candidates,
    symmetry_certificate,
)
from learnsym.nets.points import EGNN, GNN
from learnsym.relax.points import FixedInputs

INPUTS, OUTPUTS = ls.actions.PointCloud(vectors=1, scalars=1), ls.actions.PointCloud()
UP, DIAGONAL = (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)
SYSTEMS = {
    "5 bodies": (ChargedSystem(), 4000),
    "20 bodies": (ChargedSystem(bodies=20), 200),
    "5 bodies, clamp by length": (ChargedSystem(clamp=NormClamp()), 500),
    "5 bodies, no clamp": (ChargedSystem(clamp=NoClamp()), 500),
    "5 bodies, uniform field, clamp by length": (ChargedSystem(clamp=NormClamp(), field=UniformField()), 200),
    "5 bodies, magnetic field, clamp by length": (ChargedSystem(clamp=NormClamp(), field=LorentzField()), 200),
    "star and planets": (GravitySystem(), 500),
}
FIELDS = {"uniform field": (UniformField(), UP), "magnetic field": (LorentzField(), DIAGONAL)}
NETS: dict[str, Callable[[], nn.Module]] = {
    "GNN": lambda: GNN(INPUTS, OUTPUTS),
    "EGNN with a fixed vector": lambda: FixedInputs(lambda inputs: EGNN(inputs, OUTPUTS), INPUTS),
}
EXAMPLES, BATCH, SEEDS = 3000, 100, (0, 1, 2)
Row = dict[str, Any]


def certificates(done: set[str]) -> Iterator[Row]:
    """What each simulator itself says of each candidate."""
    for name, (system, count) in SYSTEMS.items():
        if name in done:
            continue
        started = time.perf_counter()
        x = system.dataset(count, seed=1).x.double()
        candidates = standard_candidates(x.shape[1], INPUTS, OUTPUTS)
        found = symmetry_certificate(system.future, x, candidates)
        print(f"{name} ({time.perf_counter() - started:.0f} s)\n{found}", flush=True)
        yield {"system": name, **found.to_dict()}


def fitted(make: Callable[[], nn.Module], data: ls.data.Dataset, seed: int, steps: int) -> nn.Module:
    torch.manual_seed(seed)
    net = make()
    objective: Any = ls.objectives.Supervised(ls.objectives.mse)
    if hasattr(net, "penalty"):
        objective = ls.objectives.WithPrior(ls.objectives.mse, len(data), weight=1e-3)
    options = ls.training.OptimiserConfig(lr=2e-3, weight_decay=1e-8)
    ls.training.fit(net, objective, ls.data.Batches(data, BATCH, seed), steps=steps, optimiser=options, seed=seed)
    return net


def axis(steps: int, done: set[str]) -> Iterator[Row]:
    """The axis about which trained networks are nearest to equivariant, with the cap around it."""
    for name, (field, truth) in FIELDS.items():
        system = ChargedSystem(field=field)
        train, test = system.dataset(EXAMPLES, seed=0), system.dataset(1000, seed=1)
        for kind, make in NETS.items():
            if f"{name} {kind}" in done:
                continue
            nets = [fitted(make, train, seed, steps) for seed in SEEDS]
            errors = [ls.training.evaluate(net, test, ls.objectives.mse)["task"] for net in nets]
            # a defect of the size of the error itself, per radian, cannot be told from none
            floor = (sum(errors) / len(errors) / test.y.var(0).mean().item()) ** 0.5 * math.pi / 180
            found = ls.measure.residual_axis(nets, test.x[:200], INPUTS, OUTPUTS, floor=floor)
            learned = [_angle(net.axis(), truth) for net in nets] if isinstance(nets[0], FixedInputs) else []
            row = {"system": name, "net": kind, "test": errors, "angle": found.angle_to(torch.tensor(truth))}
            row |= {"radius": found.radius, "learned vector": learned, "steps": steps, "found": found.to_dict()}
            print(json.dumps(row), flush=True)
            yield row


def _angle(vector: torch.Tensor, truth: tuple[float, float, float]) -> float:
    cosine = torch.cosine_similarity(vector.detach().double(), torch.tensor(truth, dtype=torch.float64), dim=0)
    return math.degrees(math.acos(min(1.0, float(cosine.abs()))))


def main() -> None:
    form, arms = argparse.RawDescriptionHelpFormatter, f"arms of axis: {', '.join(NETS)}"
    parser = argparse.ArgumentParser(description=__doc__, epilog=arms, formatter_class=form)
    parser.add_argument("--part", choices=("certificates", "axis"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"{options.part}.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {f"{row['system']} {row.get('net', row.get('seed', ''))}".strip() for row in rows}
    parts = {"certificates": certificates, "axis": partial(axis, options.steps)}
    with file.open("a") as stream:
        for row in parts[options.part](done):
            stream.write(json.dumps(row) + "\n")
            stream.flush()


if __name__ == "__main__":
    main()
