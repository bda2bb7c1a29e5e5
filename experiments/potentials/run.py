"""How much equivariance does a plain transformer potential need, and at which cost? Energies and forces of molecules.

python experiments/potentials/run.py --data ethanol --out runs/potentials        # after learnsym data fetch ethanol
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from arms import ARMS, DATA, config_of
from table import table
from torch import Tensor, nn

import learnsym as ls
from learnsym.objectives import potential_errors
from learnsym.training import build, fit, predict
from learnsym.training.build import member

FRAMES, ORIENTATIONS = 100, 8
"""Test frames and moves of each, of O(3), the same for all arms."""


def orbit(net: nn.Module, data: ls.data.Dataset) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs of moved frames moved back, those of frames as they lie, and their targets, one row per move."""
    symmetry = data.signature.symmetry("o3")
    few = data.subset(torch.arange(FRAMES))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        g = ls.distributions.Haar(symmetry.group).sample((ORIENTATIONS * FRAMES,))
    x = few.inputs.repeat(ORIENTATIONS, 1, 1)
    back = symmetry.on_output(symmetry.group.inverse(g), predict(net, symmetry.on_input(g, x)))
    return back, predict(net, few.inputs).repeat(ORIENTATIONS, 1, 1), few.y.repeat(ORIENTATIONS, 1, 1)


def means(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    return {name: float(errors.mean()) for name, errors in potential_errors(outputs, targets).items()}


def of_nothing(data: str) -> str:
    """The test errors of no force and the mean training energy."""
    config = config_of(ARMS["plain"], data, seed=0, steps=None, rate=None)
    y = ls.data.load_splits(config.data).test.y
    errors = means(torch.zeros_like(y), y)
    return f"no force, mean energy: {', '.join(f'{name} {value:.1f}' for name, value in errors.items())}"


def row(label: str, data: str, seed: int, steps: int | None, rate: float | None) -> dict[str, Any]:
    config = config_of(ARMS[label], data, seed, steps, rate)
    config = member(config, config.twin, seed)
    model, objective, splits = build(config)
    batches = ls.data.Batches(splits.train, config.train.batch_size, seed)
    fit(model, objective, batches, optimiser=config.optimiser, train=config.train, seed=seed)
    loss = config.loss.function()
    back, lying, targets = orbit(model, splits.test)
    return {
        "arm": label,
        "seed": seed,
        "steps": config.train.steps,
        "rate": config.optimiser.lr,
        "parameters": ls.nets.parameter_count(model),
        **{split: ls.training.evaluate(model, getattr(splits, split), loss) for split in ("train", "val", "test")},
        "turned": means(back, targets),
        "equivariance": means(back, lying),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", choices=DATA, default="3bpa")
    parser.add_argument("--arms", nargs="+", help=f"all when left out: {'; '.join(ARMS)}")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="other steps than those of the configuration")
    parser.add_argument("--base", default="plain", choices=ARMS, help="the arm that ratios refer to")
    parser.add_argument("--rate", type=float, help="another learning rate for all arms, to choose it")
    options = parser.parse_args()
    for label in options.arms or []:
        if label not in ARMS:
            parser.error(f"--arms: there is no {label!r} (choose from {'; '.join(ARMS)})")
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"{options.data}.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    for seed in options.seeds:
        for label in options.arms or ARMS:
            config = config_of(ARMS[label], options.data, seed, options.steps, options.rate)
            planned = (label, seed, config.train.steps, config.optimiser.lr)
            if planned in {(r["arm"], r["seed"], r["steps"], r["rate"]) for r in rows}:
                continue
            rows.append(row(label, options.data, seed, options.steps, options.rate))
            with file.open("a") as stream:
                stream.write(json.dumps(rows[-1]) + "\n")
            print(json.dumps(rows[-1]), flush=True)
    print(table(rows, options.base))
    print(of_nothing(options.data))


if __name__ == "__main__":
    main()
