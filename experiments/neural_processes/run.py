"""Approximately equivariant neural processes on the Gibbs task: in range, shifted, and by number of fixed functions.

python experiments/neural_processes/run.py --out runs/neural_processes
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.data.processes import GibbsProcess
from learnsym.data.processes.sources import SHIFT
from learnsym.objectives import GaussianLikelihood
from learnsym.relax.processes import ApproximateProcess
from learnsym.training.config_file import config_of

CONV: dict[str, Any] = {"net": {"name": "convcnp", "width": 16, "depth": 4}, "train": {"steps": 2000}}
TNP: dict[str, Any] = {"net": {"name": "tnp", "width": 32, "depth": 2}, "train": {"steps": 800}}
ARMS: dict[str, dict[str, Any]] = {
    "exact": {**CONV, "twin": "exact"},
    "plain": {**CONV, "twin": "plain"},
    "learned": {**CONV},
    "banks": {**CONV, "method": {"relaxation": "banks"}},
    "never dropped": {**CONV, "method": {"drop": 0.0}},
    "learned, 4": {**CONV, "method": {"inputs": 4}},
    "learned, 1": {**CONV, "method": {"inputs": 1}},
    "tnp exact": {**TNP, "twin": "exact"},
    "tnp plain": {**TNP, "twin": "plain"},
    "tnp learned": {**TNP},
}
USUAL = ["exact", "plain", "learned", "banks", "never dropped", "learned, 1"]
DATA = {"name": "gibbs", "train": 16384, "val": 512, "test": 2048}
FALL = "deviation of learned less its own"
OPTIMISER = {"lr": 1e-2, "clip": 0.5}
PAIRS = (
    ("learned", "exact"),
    ("learned", "plain"),
    ("learned", "banks"),
    ("banks", "exact"),
    ("never dropped", "exact"),
    ("never dropped", "learned"),
    ("plain", "exact"),
    ("learned, 4", "exact"),
    ("learned, 1", "exact"),
    ("tnp learned", "tnp exact"),
    ("tnp learned", "tnp plain"),
)


def config(arm: str, seed: int, steps: int | None = None, train: int = 16384) -> ls.training.RunConfig:
    """One training: with one seed all arms see the same batches, exact and relaxed ones begin with the same weights."""
    own = ARMS[arm]
    values = {
        "data": {**DATA, "train": train},
        "net": own["net"],
        "loss": {"name": "gaussian"},
        "method": {"name": "neural_process", **own.get("method", {})},
        "twin": own.get("twin", "learned"),
        "optimiser": OPTIMISER,
        "train": {"steps": steps or own["train"]["steps"], "batch_size": 16, "threads": 1, "device": "cpu"},
        "seeds": [seed],
    }
    return config_of(values)


def row(arm: str, settings: ls.training.RunConfig, folder: Path) -> dict[str, Any]:
    """One training, and the log-likelihood of each test task where it is, and shifted."""
    began, (seed,) = time.process_time(), settings.seeds
    run = ls.training.train_member(settings, folder / f"{arm.replace(', ', '-').replace(' ', '-')}-{seed}")
    seconds = time.process_time() - began
    model, test = run.model().eval(), run.splits().test
    shifted = {**test.inputs, "locations": test.inputs["locations"] + SHIFT}
    near, far = outputs(model, test.inputs), outputs(model, shifted)
    found = {
        "arm": arm,
        "seed": seed,
        "parameters": ls.nets.parameter_count(model),
        "seconds": seconds,
        "in range": nats(near, test.y),
        "shifted": nats(far, test.y),
    }
    if not isinstance(model, ApproximateProcess):
        return found
    (degree,) = run.degrees()
    off = outputs(model.exact().eval(), test.inputs)
    return {
        **found,
        "deviation": (*estimate(model.deviation(test.inputs)),),
        "degree": (degree.estimate, degree.low, degree.high),
        "off": nats(off, test.y),
        "off moved": moved(model.exact().eval().double(), test.subset(torch.arange(64)).inputs),
    }


def outputs(model: nn.Module, x: dict[str, Tensor]) -> Tensor:
    """Means and logarithms of variances of all tasks."""
    return ls.training.predict(model, x, 64)


def moved(model: nn.Module, x: dict[str, Tensor]) -> float:
    """By how much shifting tasks changes outputs, in double precision, relative to their size."""
    near = {key: tensor.double() for key, tensor in x.items()}
    far = {**near, "locations": near["locations"] + SHIFT}
    with torch.no_grad():
        y = model(near)
        return float((model(far) - y).norm() / y.norm())


def nats(predicted: Tensor, y: Tensor) -> list[float]:
    """The log-likelihood of each task, the mean over its targets."""
    return (-GaussianLikelihood().of_each(predicted, y)).tolist()


def estimate(found: ls.statistics.Estimate) -> tuple[float, float, float]:
    """A mean with its interval over tasks."""
    interval = ls.statistics.student_interval(found)
    return (interval.estimate, *interval.ends)


def difference(rows: list[dict[str, Any]], pair: tuple[str, str], what: str) -> dict[str, Any]:
    """The first minus the second arm: over tasks, of means over seeds, and over seeds, of means over tasks."""
    shared = set.intersection(*({row["seed"] for row in rows if row["arm"] == arm} for arm in pair))
    first, second = (by_seed(rows, arm, what, shared) for arm in pair)
    tasks = ls.statistics.Estimate.of((first - second).mean(0))
    over = over_seeds((first - second).mean(1).tolist())
    return {"pair": pair, "what": what, "mean": tasks.mean, "standard error": tasks.stderr, "over seeds": over}


def of_functions(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Within networks: what functions are worth in nats, and how much less of the means fewer of them carry."""
    gains: dict[str, list[float]] = defaultdict(list)
    shares: dict[str, dict[int, float]] = defaultdict(dict)
    for row in (row for row in rows if "off" in row):
        near, off = (sum(row[what]) / len(row[what]) for what in ("in range", "off"))
        gains[row["arm"]].append(near - off)
        shares[row["arm"]][row["seed"]] = row["deviation"][0]
    found = [{"arm": arm, "what": "worth in nats", "over seeds": over_seeds(each)} for arm, each in gains.items()]
    for arm in {"learned, 4", "learned, 1"} & set(shares) if "learned" in shares else ():
        falls = [shares["learned"][seed] - share for seed, share in shares[arm].items() if seed in shares["learned"]]
        found.append({"arm": arm, "what": FALL, "over seeds": over_seeds(falls)})
    return found


def over_seeds(values: list[float]) -> tuple[float, float | None, float | None]:
    """Mean and Student's interval."""
    found = ls.statistics.over_seeds(values)
    return (found.estimate, found.low, found.high)


def by_seed(rows: list[dict[str, Any]], arm: str, what: str, seeds: set[int]) -> Tensor:
    """The log-likelihood of each task by each seed, `(S, N)`."""
    own = {row["seed"]: row[what] for row in rows if row["arm"] == arm}
    return torch.tensor([own[seed] for seed in sorted(seeds)], dtype=torch.double)


def bars(rows: list[dict[str, Any]], differences: list[dict[str, Any]]) -> dict[str, bool]:
    """The bars of the reduced run, of which arms were trained; standard errors are over tasks, of means over seeds, and
    deviations fall when the interval over seeds says so."""
    of = {(*each["pair"], each["what"]): (each["mean"], each["standard error"]) for each in differences}
    gain, rest = of.get(("learned", "exact", "in range")), of.get(("learned", "plain", "in range"))
    far, lost = of.get(("learned", "exact", "shifted")), of.get(("plain", "exact", "shifted"))
    worst = [row["off moved"] for row in rows if "off moved" in row]
    falls = [each["over seeds"] for each in of_functions(rows) if each["arm"] == "learned, 1" and each["what"] == FALL]
    found = {
        "in range, learned - exact > 2 SE": gain and gain[0] > 2 * gain[1],
        "in range, learned - plain > -2 SE": rest and rest[0] > -2 * rest[1],
        "shifted, |learned - exact| < 2 SE": far and abs(far[0]) < 2 * far[1],
        "shifted, plain below exact by more than 0.1 nat": lost and lost[0] < -0.1,
        "without fixed functions, shifting moves outputs by less than 1e-5": worst and max(worst) < 1e-5,
        "deviation falls from 16 functions to 1": falls and falls[0][1] is not None and falls[0][1] > 0,
    }
    return {text: bool(met) for text, met in found.items() if met not in (None, [], {})}


def tables(rows: list[dict[str, Any]]) -> str:
    """Log-likelihoods and deviations of all arms, and differences."""
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    lines = ["| arm | parameters | in range | shifted | without functions, in range | deviation | seconds |"]
    lines.append("|" + "---|" * 7)
    for arm in arms:
        own = [row for row in rows if row["arm"] == arm]
        cells = [arm, f"{own[0]['parameters']:,}"]
        for what in ("in range", "shifted", "off"):
            values = [sum(row[what]) / len(row[what]) for row in own if what in row]
            cells.append(_interval(values))
        cells.append(_interval([row["deviation"][0] for row in own if "deviation" in row]))
        cells.append(f"{sum(row['seconds'] for row in own) / len(own):.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| difference | where | nats | standard error over tasks | over seeds |", "|" + "---|" * 5]
    for pair in PAIRS:
        for what in ("in range", "shifted") if set(pair) <= set(arms) else ():
            found = difference(rows, pair, what)
            mean, error = found["mean"], found["standard error"]
            lines.append(f"| {pair[0]} - {pair[1]} | {what} | {mean:+.4f} | {error:.4f} | {_signed(found)} |")
    lines += ["", "| arm | within its networks | over seeds |", "|---|---|---|"]
    lines += [f"| {found['arm']} | {found['what']} | {_signed(found)} |" for found in of_functions(rows)]
    return "\n".join(lines)


def _signed(found: dict[str, Any]) -> str:
    center, low, high = found["over seeds"]
    return f"{center:+.4f}" if low is None else f"{center:+.4f} [{low:+.4f}, {high:+.4f}]"


def _interval(values: list[float]) -> str:
    if not values:
        return ""
    found = ls.statistics.over_seeds(values)
    return f"{found.estimate:.3f}" + ("" if found.low is None else f" [{found.low:.3f}, {found.high:.3f}]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=USUAL, help="what is trained")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="of weights and batches")
    parser.add_argument("--steps", type=int, help="of every training; default: 2000, of transformers 800")
    parser.add_argument("--train", type=int, default=DATA["train"], help="training tasks")
    parser.add_argument("--out", type=Path, default=Path("runs/neural_processes"), help="folder of runs and results")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for seed in options.seeds:
        for arm in options.arms:
            rows.append(row(arm, config(arm, seed, options.steps, options.train), options.out))
            print(tables([rows[-1]]).splitlines()[2], flush=True)
    test = ls.data.load_splits(config("exact", 0, train=options.train).data).test
    oracle = ls.statistics.Estimate.of(GibbsProcess().log_likelihood(test.inputs, test.y).double())
    print(f"\nthe process itself: {oracle.mean:.4f}, standard error over tasks {oracle.stderr:.4f}\n\n{tables(rows)}")
    present = [pair for pair in PAIRS if set(pair) <= set(options.arms)]
    differences = [difference(rows, pair, what) for pair in present for what in ("in range", "shifted")]
    decided = bars(rows, differences)
    print("", *(f"{'met   ' if met else 'missed'}  {text}" for text, met in decided.items()), sep="\n")
    result = {"the process itself": (oracle.mean, oracle.stderr), "bars": decided, "differences": differences}
    result["functions"] = of_functions(rows)
    per_task = ("in range", "shifted", "off")
    short = {name: lambda values: sum(values) / len(values) for name in per_task}
    result["rows"] = [{key: short[key](v) if key in short else v for key, v in row.items()} for row in rows]
    (options.out / "results.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
