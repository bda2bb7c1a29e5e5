"""Constraints on free branches: who finds an exact network, who leaves the symmetry where the data do, at what error?

python experiments/constrained/run.py --out runs/constrained
python experiments/constrained/run.py --out runs/constrained --other-settings
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from scipy.stats import spearmanr
from tasks import TASKS, Task, exact_net, one_relaxed_net, plain_net, projected_net, relaxed_net
from torch import nn

import learnsym as ls
from learnsym.objectives import (
    AnnealedGains,
    ConstantWeights,
    EqualityConstraint,
    GainRidge,
    ModulatedGains,
    OpenedGains,
    Regularised,
    Remul,
    ResilientConstraint,
    Supervised,
    bank,
    mse,
)
from learnsym.objectives.terms import ProjectionPenalty
from learnsym.statistics import over_seeds

COST = 0.1
ALONE = ("free, layer 1", "free, layer 2", "free, layer 3")
"""A free branch beside one layer alone."""
ARMS = (
    "strict",
    "free",
    "plain",
    "ridge",
    "schedule",
    "equality",
    "resilience",
    "modulation",
    "forward selection",
    "projection, 0.1",
    "remul, 0.1",
    "remul, 1",
    *ALONE,
)
BREAKINGS = {
    "rings": (0.0, 0.1, 0.3, 1.0),
    "last map": (1.0,),
    "first map": (1.0,),
    "charges": (0.0, 0.1, 0.2, 0.3, 0.6, 1.0),
}
STEPS = {"rings": 250, "last map": 250, "first map": 250, "charges": 100}
SEEDS = {"rings": 3, "last map": 3, "first map": 3, "charges": 5}
CUT = ("schedule", "equality")
"""Arms whose free branches are cut off after training."""
FEWER = {
    "rings": tuple(arm for arm in ARMS if arm not in ALONE),
    "charges": ("strict", "free", "equality", "resilience", "modulation", "forward selection"),
    "last map": ("strict", "free", "ridge", "modulation", "forward selection", *ALONE),
    "first map": ("strict", "free", "ridge", "modulation", "forward selection", *ALONE),
}
"""The other arms are left out there to save time; a graph network has no linear layer whose projection is known."""
BY_GAP: dict[str, tuple[type[nn.Module], dict[str, float]]] = {
    "modulation": (ModulatedGains, {"scale": 1.0, "errors": 3.0, "memory": 100, "every": 2}),
    "forward selection": (OpenedGains, {"errors": 3.0, "memory": 100, "every": 2}),
}
"""What looks at the gap, with its usual settings."""
FACTORS = {"x 10": 10.0, "/ 10": 0.1}
OTHER_SETTINGS = tuple(f"{arm}, {key} {how}" for arm, (_, usual) in BY_GAP.items() for key in usual for how in FACTORS)
"""One setting ten times as large or as small, on rings without breaking and with one of 1; counts are at least 1."""
BATCH = 50
Row = dict[str, Any]


def network(task: str, arm: str) -> nn.Module:
    if arm in ALONE:
        return one_relaxed_net(task, 1 + ALONE.index(arm))
    name = arm.partition(",")[0]
    nets = {"strict": exact_net, "plain": plain_net, "projection": projected_net, "remul": plain_net}
    if name in BY_GAP:
        return relaxed_net(task, start=0.0)
    return nets.get(name, relaxed_net)(task)


def objective(arm: str, task: Task, steps: int) -> Any:
    name, _, weight = arm.partition(", ")
    plain = Supervised(mse)
    if name == "projection":
        return Regularised(plain, [ProjectionPenalty(float(weight))])
    if name == "remul":
        candidates = bank({"turns": task.symmetry}, "functional")
        return Remul(mse, candidates, ConstantWeights(["turns"], float(weight)))
    if name in BY_GAP:
        return by_gap(name, weight, len(task.train))
    held = {
        "ridge": lambda: GainRidge(plain, cost=COST),
        "schedule": lambda: AnnealedGains(plain, steps=steps),
        "equality": lambda: EqualityConstraint(plain, memory=20),
        "resilience": lambda: ResilientConstraint(plain, cost=COST),
    }
    return held[name]() if name in held else plain


def by_gap(name: str, changed: str, examples: int) -> nn.Module:
    """A chooser that looks at the gap, with its settings or with one changed, such as `errors x 10`."""
    made, settings = BY_GAP[name]
    key, _, how = changed.partition(" ")
    values = {**settings, key: settings[key] * FACTORS[how]} if changed else settings
    values = {k: max(1, round(value)) if isinstance(settings[k], int) else value for k, value in values.items()}
    return made(Supervised(mse), examples, **values)


def error(net: nn.Module, data: ls.data.Dataset) -> float:
    return ls.training.evaluate(net, data, mse)["task"]


def row(name: str, arm: str, breaking: float, seed: int, steps: int) -> Row:
    task = TASKS[name](breaking, seed)
    torch.manual_seed(seed)
    net, started = network(name, arm), time.process_time()
    ls.training.fit(
        net,
        objective(arm, task, steps),
        ls.data.Batches(task.train, BATCH, seed),
        steps=steps,
        optimiser=ls.training.OptimiserConfig(lr=1e-2),
        seed=seed,
    )
    seconds = time.process_time() - started
    found: Row = {"task": name, "arm": arm, "breaking": breaking, "seed": seed, "steps": steps, "seconds": seconds}
    degrees = ls.degrees(net)
    found["degrees"] = [degree.estimate for degree in degrees]
    found["statuses"] = [degree.status for degree in degrees]
    found["gains"] = [float(m.value.detach()) for m in net.modules() if isinstance(m, ls.relax.Gain)]
    found["before"] = error(net, task.test)
    if arm in CUT:
        ls.relax.truncate(net)
    few = task.test.x[:200]
    found["defect"] = ls.measure.equivariance_error(net, few, task.symmetry, samples=4).mean
    return {**found, "val": error(net, task.val), "test": error(net, task.test)}


def mean_degree(found: Row) -> float:
    return sum(found["degrees"]) / max(1, len(found["degrees"]))


def shown(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.4f}"
    value = over_seeds(values)
    return f"{value.estimate:.4f} [{value.low:.4f}, {value.high:.4f}]"


def table(rows: list[Row]) -> str:
    header = ("task", "breaking", "arm", "test error", "minus strict", "minus ridge", "defect", "mean degree", "s")
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    by_key = {(r["task"], r["breaking"], r["arm"], r["seed"]): r for r in rows}
    order = [*TASKS, *ARMS, *OTHER_SETTINGS]
    kinds = {(r["task"], r["breaking"], r["arm"]) for r in rows}
    for kind in sorted(kinds, key=lambda kind: (order.index(kind[0]), kind[1], order.index(kind[2]))):
        same = [r for r in rows if (r["task"], r["breaking"], r["arm"]) == kind]
        cells = [shown([r["test"] for r in same])]
        for other in ("strict", "ridge"):
            pairs = [(r, by_key.get((*kind[:2], other, r["seed"]))) for r in same]
            apart = [r["test"] - base["test"] for r, base in pairs if base is not None]
            cells.append(shown(apart) if apart and kind[2] != other else "")
        degree = f"{sum(map(mean_degree, same)) / len(same):.3f}" if same[0]["gains"] or same[0]["degrees"] else ""
        defect = max(r["defect"] for r in same)
        seconds = sum(r["seconds"] for r in same) / len(same)
        cells += [f"{defect:.1e}", degree, f"{seconds:.1f}"]
        lines.append(f"| {' | '.join([kind[0], format(kind[1], 'g'), kind[2], *cells])} |")
    return "\n".join(lines)


def dials(rows: list[Row]) -> list[str]:
    """Whether the mean degree rises with the dial: Spearman's correlation of means over seeds, and within each seed."""
    lines = []
    for task, arm in dict.fromkeys((r["task"], r["arm"]) for r in rows if r["gains"]):
        same = [r for r in rows if (r["task"], r["arm"]) == (task, arm)]
        values = sorted({r["breaking"] for r in same})
        if len(values) < 3:
            continue
        means = [
            sum(map(mean_degree, at)) / len(at) for at in ([r for r in same if r["breaking"] == b] for b in values)
        ]
        each = [_spearman([r for r in same if r["seed"] == seed]) for seed in sorted({r["seed"] for r in same})]
        points = ", ".join(f"{b:g}: {m:.3f}" for b, m in zip(values, means, strict=True))
        rank = "none" if len(set(means)) == 1 else f"{spearmanr(values, means).statistic:.2f}"
        lines.append(f"{task}, {arm}: {points}; Spearman of means {rank}, of seeds {', '.join(each)}")
    return lines


def choices(rows: list[Row]) -> list[str]:
    """Which layer alone the validation error would free, by seed, and at what test error beside all three free."""
    lines = []
    for task in dict.fromkeys(r["task"] for r in rows if r["arm"] in ALONE):
        same = [r for r in rows if r["task"] == task]
        chosen = []
        for seed in dict.fromkeys(r["seed"] for r in same):
            tried = [r for r in same if r["seed"] == seed and r["arm"] in ALONE]
            chosen += [min(tried, key=lambda r: r["val"])] if tried else []
        free = {r["seed"]: r["test"] for r in same if r["arm"] == "free"}
        apart = [r["test"] - free[r["seed"]] for r in chosen if r["seed"] in free]
        layers = ", ".join(r["arm"][-1] for r in chosen)
        less = f"; test error less that of all free {shown(apart)}" if apart else ""
        lines.append(f"{task}: by validation layer {layers} alone is free{less}")
    return lines


def _spearman(rows: list[Row]) -> str:
    degrees = [mean_degree(r) for r in rows]
    alike = len(set(degrees)) == 1
    return "none" if alike else f"{spearmanr([r['breaking'] for r in rows], degrees).statistic:.2f}"


def planned(options: argparse.Namespace) -> list[tuple[str, str, float, int]]:
    runs = []
    for task in options.tasks:
        for seed in range(options.seeds or SEEDS[task]):
            for breaking in BREAKINGS[task]:
                runs += [(task, arm, breaking, seed) for arm in options.arms if asked(arm, task, breaking)]
    return runs


def asked(arm: str, task: str, breaking: float) -> bool:
    """Whether an arm is run on a task at a breaking."""
    if arm in OTHER_SETTINGS:
        return task == "rings" and breaking in (0, 1)
    return arm in FEWER[task]


def main() -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=ARMS)
    parser.add_argument("--seeds", type=int, help="how many; by task when left out")
    parser.add_argument("--steps", type=int, help="of each training; by task when left out")
    parser.add_argument(
        "--other-settings", action="store_true", help="in place of arms: one setting ten times as large or as small"
    )
    options = parser.parse_args()
    options.arms = OTHER_SETTINGS if options.other_settings else options.arms
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "rows.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(r["task"], r["arm"], r["breaking"], r["seed"], r["steps"]) for r in rows}
    for task, arm, breaking, seed in planned(options):
        steps = options.steps or STEPS[task]
        if (task, arm, breaking, seed, steps) in done:
            continue
        found = row(task, arm, breaking, seed, steps)
        rows.append(found)
        with file.open("a") as stream:
            stream.write(json.dumps(found) + "\n")
    print(table(rows))
    print("\n".join([*dials(rows), *choices(rows)]))


if __name__ == "__main__":
    main()
