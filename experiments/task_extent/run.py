"""How right is the set of widths that labels tolerate? MNIST digits turned by up to a planted half-width.

    python experiments/task_extent/run.py --out runs/task_extent

Each trial draws images of its own, trains one network at each width and for each replicate, and asks held-out examples
which widths are as good as the best. The networks' own losses on 5,000 test images say whether that was right.
"""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path
from typing import Any

import torch
from scipy.stats import binomtest
from torch import Tensor
from tqdm import tqdm

import learnsym as ls
from learnsym.data import Splits
from learnsym.measure.task_extent import together
from learnsym.report.run.pieces import losses
from learnsym.statistics import LEVEL, Interval, over_seeds
from learnsym.training import fit
from learnsym.training.build import build_on
from learnsym.training.config_file import config_of
from learnsym.training.evaluate import predict

LAWS = (0, 30, 60, 90, 180)
WIDTHS = (0.0, 15.0, 30.0, 60.0, 90.0, 135.0, 180.0)
"""The grid of `analysis.task_extent.widths` by default."""
IMAGES, HELD_OUT, TEST, STEPS, COPIES = 5000, 1000, 5000, 500, 4
TOLERATED = 0.003
"""Largest mean regret in nats that was set as a target."""


def settings(law: float, width: float, trial: int, seed: int, steps: int) -> dict[str, Any]:
    """One training with copies turned by up to a fixed width."""
    plant = {"rotation": float(law)}
    data = {"name": "mnist", "size": 14, "train": IMAGES, "val": HELD_OUT, "test": TEST, "seed": trial, "plant": plant}
    fixed = {"rotation": float(width)}
    return {
        "data": data,
        "net": {"name": "cnn", "width": 16, "depth": 2, "norm": "batch"},
        "method": {"name": "augerino", "symmetry": "rotation2d", "test_copies": COPIES, "fixed": fixed},
        "twin": "fixed",
        "optimiser": {"lr": 5e-3},
        "train": {"steps": steps, "batch_size": 128, "threads": 1, "device": "cpu"},
        "seeds": [seed],
    }


@functools.lru_cache(maxsize=1)
def splits_of(law: float, trial: int) -> Splits:
    """The images of one trial."""
    return ls.data.load_splits(config_of(settings(law, 0.0, trial, 0, 1)).data)


def trained(law: float, width: float, trial: int, replicate: int, steps: int) -> tuple[Tensor, Tensor]:
    """Losses of the held-out and of the test examples; replicates differ in weights and batches, not in images."""
    config = config_of(settings(law, width, trial, 100 * trial + replicate, steps))
    model, objective, splits = build_on(config, splits_of(law, trial))
    batches = ls.data.Batches(splits.train, config.train.batch_size, config.seeds[0])
    fit(model, objective, batches, optimiser=config.optimiser, train=config.train, seed=config.seeds[0])
    held_out, test = ((predict(model, part.inputs), part) for part in (splits.val, splits.test))
    return losses(*held_out), losses(*test)


def tables(out: Path, law: float, trial: int, replicates: int, steps: int, bar: tqdm) -> tuple[Tensor, Tensor]:
    """Losses `(widths, replicates, examples)` of held-out and test examples; what is there stays."""
    kept = out / f"losses-{law}-{trial}.pt"
    done: dict[str, tuple[Tensor, Tensor]] = torch.load(kept) if kept.exists() else {}
    for width in WIDTHS:
        for replicate in range(replicates):
            key = f"{width:g} {replicate} {steps}"
            if key not in done:
                done[key] = trained(law, width, trial, replicate, steps)
                torch.save(done, kept)
            bar.update()
    cells = [[done[f"{width:g} {r} {steps}"] for r in range(replicates)] for width in WIDTHS]
    return tuple(torch.stack([torch.stack([cell[k] for cell in row]) for row in cells]).double() for k in (0, 1))


def judged(held_out: Tensor, test: Tensor) -> dict[str, Any]:
    """What held-out examples say, and whether the test examples agree."""
    extent, means = ls.measure.task_extent(held_out, WIDTHS), test.mean((1, 2))
    best = WIDTHS[int(means.argmin())]
    return {
        "chosen": extent.best,
        "tolerated": extent.tolerated,
        "groups": len(together(WIDTHS, extent.tolerated)),
        "best": best,
        "holds": best in extent.tolerated,
        "regret": float(means[WIDTHS.index(extent.best)] - means.min()),
        "test": means.tolist(),
    }


def row(law: float, trial: int, held_out: Tensor, test: Tensor) -> list[dict[str, Any]]:
    """Of one trial: each replicate by itself, and all together."""
    count = held_out.shape[1]
    parts = [(1, slice(r, r + 1)) for r in range(count)] + [(count, slice(None))] * (count > 1)
    key = {"law": law, "trial": trial}
    return [key | {"replicates": n} | judged(held_out[:, part], test[:, part]) for n, part in parts]


def table(rows: list[dict[str, Any]]) -> str:
    """By law and number of replicates."""
    lines = [
        "| planted | replicates | trials | regret, nats | set holds the best | widths in the set, of 7 | chosen |",
        "|---|---|---|---|---|---|---|",
    ]
    for count in sorted({r["replicates"] for r in rows}):
        for law in (*LAWS, None):
            own = [r for r in rows if r["replicates"] == count and law in (None, r["law"])]
            if own:
                lines.append(_line("all" if law is None else f"{law}°", count, own))
    return "\n".join(lines)


def _line(name: str, count: int, rows: list[dict[str, Any]]) -> str:
    regret = over_seeds([r["regret"] for r in rows])
    sizes = sorted(len(r["tolerated"]) for r in rows)
    chosen = ", ".join(f"{c:g}" for c in sorted({r["chosen"] for r in rows}))
    held = sum(r["holds"] for r in rows)
    share = binomtest(held, len(rows)).proportion_ci(LEVEL, "wilson")
    return (
        f"| {name} | {count} | {len(rows)} | {_interval(regret)} | {held} of {len(rows)} "
        f"[{share.low:.0%}, {share.high:.0%}] | "
        f"{sizes[len(sizes) // 2]} | {chosen} |"
    )


def losses_table(rows: list[dict[str, Any]]) -> str:
    """Mean test loss by law and width, over all trainings."""
    lines = ["| planted | " + " | ".join(f"{width:g}°" for width in WIDTHS) + " |", "|---" * (len(WIDTHS) + 1) + "|"]
    for law in LAWS:
        own = [torch.tensor(r["test"]) for r in rows if r["replicates"] == 1 and r["law"] == law]
        if own:
            means = torch.stack(own).mean(0).tolist()
            lines.append(f"| {law}° | " + " | ".join(f"{mean:.4f}" for mean in means) + " |")
    return "\n".join(lines)


def _interval(found: Interval) -> str:
    if found.low is None:
        return f"{found.estimate:.4f}"
    return f"{found.estimate:.4f} [{found.low:.4f}, {found.high:.4f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of results; what is there is not done again")
    parser.add_argument("--trials", type=int, default=3, help="draws of images, of each law")
    parser.add_argument("--replicates", type=int, default=3, help="trainings at each width")
    parser.add_argument("--laws", type=int, nargs="+", default=LAWS, choices=LAWS, help="planted half-widths, degrees")
    parser.add_argument("--steps", type=int, default=STEPS, help="of each training")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    cells = [(law, trial) for trial in range(args.trials) for law in args.laws]
    rows = []
    with tqdm(total=len(cells) * len(WIDTHS) * args.replicates, unit="training") as bar:
        for law, trial in cells:
            rows += row(law, trial, *tables(args.out, law, trial, args.replicates, args.steps, bar))
            (args.out / "results.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf8")
    print(table(rows), losses_table(rows), sep="\n\n")


if __name__ == "__main__":
    main()
