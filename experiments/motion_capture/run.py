"""Bodies in motion: what does a penalty on imperfect symmetry buy when all training data head the same way?

python experiments/motion_capture/run.py --out runs/motion_capture --part sweep
python experiments/motion_capture/run.py --out runs/motion_capture --part nets
python experiments/motion_capture/run.py --out runs/motion_capture --part choosers
python experiments/motion_capture/run.py --out runs/motion_capture --part constraints
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from bodies import GROUPS, INPUTS, OUTPUTS, load, network, turned
from torch import nn

import learnsym as ls
from learnsym.methods.remul import last_layer
from learnsym.training.evaluate import predict

BATCH = 12
RATES = {"transformer": 3e-3, "EGNN": 1e-2, "straight on": 0.0}
WEIGHTS = (0.01, 0.1, 1.0, 10.0, 100.0)
COSTS = ("0.0001", "0.01")
"""Of half the square of a gain, in m²: errors are 1e-4 to 1e-2."""
PARTS = {
    "sweep": [
        "transformer",
        *(f"transformer: anchored {group} {weight:g}" for group in ("SO(3)", "SO(2)_y") for weight in WEIGHTS),
    ],
    "nets": [
        "straight on",
        "EGNN",
        "EGNN, vertical and height",
        "EGNN, fixed vector",
        "EGNN, absolute",
        "EGNN, fixed vector: turned",
    ],
    "choosers": [
        "transformer: bank functional, one heading",
        "transformer: bank functional, all headings",
        "transformer: gradnorm",
    ],
    "constraints": [
        "EGNN",
        "EGNN, free: supervised",
        *(f"EGNN, free: ridge {cost}" for cost in COSTS),
        *(f"EGNN, free: resilience {cost}" for cost in COSTS),
        "EGNN, free: equality",
        "EGNN, free: modulation",
        "EGNN, free: forward_selection",
    ],
}
CUT = "EGNN, free: equality"
"""The run whose free branches are cut off after training."""
Row = dict[str, Any]


def objective(name: str, net: nn.Module, splits: ls.data.Splits, seed: int) -> Any:
    """The objective of a run by the words after the colon."""
    mse, words = ls.objectives.mse, name.partition(":")[2].split()
    if hasattr(net, "penalty"):
        return ls.objectives.WithPrior(mse, len(splits.train), weight=1e-3)
    kind = words[0] if words else "supervised"
    if kind == "anchored":
        candidates = ls.objectives.bank({words[1]: GROUPS[words[1]]}, "anchored")
        return ls.objectives.Remul(mse, candidates, ls.objectives.ConstantWeights(list(candidates), float(words[2])))
    if kind == "bank":
        candidates = ls.objectives.bank(GROUPS, "functional")
        held_out = turned(splits.val, GROUPS["SO(2)_y"], seed) if words[2] == "all" else splits.val
        weighting = ls.objectives.ValidationWeights(list(GROUPS), last_layer(net))
        return ls.objectives.Remul(mse, candidates, weighting, held_out=(held_out.x, held_out.y))
    plain = ls.objectives.Supervised(mse)
    held = {
        "ridge": lambda: ls.objectives.GainRidge(plain, cost=float(words[1])),
        "resilience": lambda: ls.objectives.ResilientConstraint(plain, cost=float(words[1])),
        "equality": lambda: ls.objectives.EqualityConstraint(plain),
        "modulation": lambda: ls.objectives.ModulatedGains(plain, len(splits.train)),
        "forward_selection": lambda: ls.objectives.OpenedGains(plain, len(splits.train)),
    }
    if kind in held:
        return held[kind]()
    if kind == "gradnorm":
        weighting = ls.objectives.GradNorm(["SO(3)"], last_layer(net))
        return ls.objectives.Remul(mse, ls.objectives.bank({"SO(3)": GROUPS["SO(3)"]}, "anchored"), weighting)
    return plain


def error(net: nn.Module, data: ls.data.Dataset) -> float:
    return float(ls.objectives.mse(predict(net, data.x, batch_size=24), data.y))


def axis(net: nn.Module, x: torch.Tensor) -> Row:
    """About which axis the function turns best, by its Lie derivatives."""
    found = ls.measure.residual_axis(net, x, INPUTS, OUTPUTS, bootstrap=200)
    return {
        "angle to y": found.angle_to((0, 1, 0)),
        "errors": found.errors,
        "axis": found.axis,
        "verdict": found.verdict,
    }


def trained(name: str, splits: ls.data.Splits, seed: int, steps: int, lr: float) -> tuple[nn.Module, Row]:
    """A network, and what its training says: the course of the validation error, weights, seconds."""
    train = splits.train
    if name.endswith(": turned"):
        train = turned(train, GROUPS["SO(2)_y"], seed, copies=8)
    torch.manual_seed(seed)
    net = network(name)
    if not any(p.requires_grad for p in net.parameters()):
        return net, {"curve": [], "weights": {}, "seconds": 0.0}
    task = objective(name, net, splits, seed)
    options = ls.training.OptimiserConfig(lr=lr, warmup=50, clip=1.0)
    often = ls.training.TrainConfig(eval_every=max(1, steps // 4))
    batches, started = ls.data.Batches(train, BATCH, seed), time.process_time()
    history = ls.training.fit(
        net,
        task,
        batches,
        steps=steps,
        optimiser=options,
        seed=seed,
        train=often,
        validate=lambda model: {"val": error(model, splits.val)},
    )
    weights = {}
    if isinstance(task, ls.objectives.Remul):
        weights = dict(zip(task.weighting.names, task.weighting.weights.tolist(), strict=True))
    seconds = time.process_time() - started
    return net, {"curve": history.column("val", "val"), "weights": weights, "seconds": seconds}


def row(data: str, name: str, seed: int, steps: int, lr: float) -> Row:
    splits = load(data, seed)
    net, training = trained(name, splits, seed, steps, lr)
    degrees = [d.estimate for d in ls.degrees(net)]
    if name == CUT:
        ls.relax.truncate(net)
    tests = {group: error(net, turned(splits.test, moves, 1000, copies=2)) for group, moves in GROUPS.items()}
    few = splits.test.x[::8]
    defects = {g: ls.measure.remul_errors(net, few, moves, samples=4) for g, moves in GROUPS.items()}
    return {
        "data": data,
        "name": name,
        "seed": seed,
        "steps": steps,
        "lr": lr,
        "parameters": ls.nets.parameter_count(net),
        "train": error(net, splits.train),
        "val": error(net, splits.val),
        "val, turned": error(net, turned(splits.val, GROUPS["SO(2)_y"], 1001)),
        "test": {"none": error(net, splits.test), **tests},
        "defect": {g: found.deviation.mean for g, found in defects.items()},
        "degrees": degrees,
        "fixed": net.axis().tolist() if isinstance(net, ls.relax.points.FixedInputs) else None,
        "axis": axis(net, few) if training["curve"] else None,
        **training,
    }


def main() -> None:
    names = "\n".join(f"  {part}: {'; '.join(runs)}" for part, runs in PARTS.items())
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=f"names by part:\n{names}", formatter_class=form)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", choices=PARTS, required=True)
    parser.add_argument("--names", nargs="+", help="some of the runs of a part")
    parser.add_argument("--data", default="mocap-run", choices=("mocap-run", "mocap-walk-short"))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--lr", type=float, help="learning rate; by network when left out")
    options = parser.parse_args()
    for name in options.names or []:
        if name not in PARTS[options.part]:
            parser.error(f"--names: {options.part} has no {name!r} (choose from {'; '.join(PARTS[options.part])})")
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "rows.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(r["data"], r["name"], r["seed"], r["steps"], r["lr"]) for r in rows}
    for seed in options.seeds:
        for name in options.names or PARTS[options.part]:
            lr = options.lr or RATES[name.partition(":")[0].partition(",")[0]]
            if (options.data, name, seed, options.steps, lr) in done:
                continue
            found = row(options.data, name, seed, options.steps, lr)
            with file.open("a") as stream:
                stream.write(json.dumps(found) + "\n")
            print(json.dumps({k: found[k] for k in ("name", "seed", "val", "test", "weights")}), flush=True)


if __name__ == "__main__":
    main()
