"""How far may panoramas be turned? A learned range of rotations where the label tells which way is up, or does not.

python experiments/spherical_images/panoramas.py --out runs/panoramas
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.augment import Augmented
from learnsym.distributions import learnable
from learnsym.representations import sphere_points

TASKS = {"side": "vertical", "width": "all rotations"}
"""The label, and the symmetry of the task: a light above or below the horizon, or a narrow or a wide one."""
GENERATORS = ("rotation_z", "rotation_x", "rotation_y")
EXAMPLES, SIZE, BATCH, STEPS, START, REWARD = 256, (8, 16), 64, 400, 0.3, 0.05
Row = dict[str, Any]


def panoramas(task: str, seed: int) -> tuple[Tensor, Tensor]:
    """Lights at 20° to 49° from the horizon, at any longitude, `exp(κ (p·q - 1))` around their centre `q`."""
    random = torch.Generator().manual_seed(seed)
    up, wide = (torch.randint(2, (EXAMPLES,), generator=random) for _ in range(2))
    latitude = (0.35 + 0.5 * torch.rand(EXAMPLES, generator=random)) * (2 * up - 1)
    longitude = 2 * math.pi * torch.rand(EXAMPLES, generator=random)
    q = torch.stack([latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()], -1)
    cosines = torch.einsum("hwi,ni->nhw", sphere_points(*SIZE).float(), q)
    concentration = torch.where(wide == 1, 4.0, 16.0)[:, None, None]
    return ((cosines - 1) * concentration).exp()[:, None], {"side": up, "width": wide}[task]


def row(task: str, seed: int, steps: int) -> Row:
    """Half-widths of the learned range about each axis, in degrees, and the accuracy on other panoramas as they are."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(SIZE), 64), nn.ReLU(), nn.Linear(64, 2))
    symmetry = ls.symmetry_by_name("sphere")
    model = Augmented(net, symmetry, learnable(symmetry.group, START))
    objective = ls.objectives.Augerino(ls.objectives.cross_entropy, weight=REWARD)
    data = ls.data.Dataset(*panoramas(task, seed), "panoramas", 2)
    optimiser = ls.training.OptimiserConfig(lr=1e-2, symmetry_lr=3e-2, weight_decay=0.0)
    ls.training.fit(model, objective, ls.data.Batches(data, BATCH, seed), steps=steps, optimiser=optimiser, seed=seed)
    widths = {degree.generator: degree.estimate for degree in ls.degrees(model)}
    x, y = panoramas(task, 1000 + seed)
    with torch.no_grad():
        accuracy = float((model.eval()(x).argmax(1) == y).double().mean())
    return {"task": task, "seed": seed, "accuracy": accuracy, **{name: widths[name] for name in GENERATORS}}


def table(rows: list[Row]) -> str:
    lines = [
        "| label | symmetry of the task | half-width about z | about x | about y | accuracy |",
        "|---|" + "---|" * 5,
    ]
    for task, holds in TASKS.items():
        some = [each for each in rows if each["task"] == task]
        cells = [shown([each[key] for each in some]) for key in (*GENERATORS, "accuracy")]
        lines.append(f"| {task} | {holds} | {' | '.join(cells)} |")
    return "\n".join(lines)


def shown(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.3g} (one seed)"
    return str(ls.statistics.over_seeds(values)).removesuffix(" at 90%")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for panoramas.json")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "panoramas.json"
    kept = json.loads(path.read_text(encoding="utf8")) if path.exists() else {"processor seconds": 0.0, "rows": []}
    done = {(each["task"], each["seed"], each["steps"]) for each in kept["rows"]}
    for task in options.tasks:
        for seed in options.seeds:
            if (task, seed, options.steps) in done:
                continue
            begun = time.process_time()
            kept["rows"].append(row(task, seed, options.steps) | {"steps": options.steps})
            kept["processor seconds"] += time.process_time() - begun
            path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf8")
            print(kept["rows"][-1], flush=True)
    found = [each for each in kept["rows"] if each["steps"] == options.steps]
    if {each["task"] for each in found} == set(TASKS):
        print(table(found), f"{kept['processor seconds']:.0f} s", sep="\n")


if __name__ == "__main__":
    main()
