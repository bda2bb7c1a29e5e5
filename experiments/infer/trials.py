"""Trials of `ls.infer` on data with a planted mixture of symmetries: how often is the verdict right?

Each trial draws a base (digits, mnist or photographs), an extent of turns, one of shifts, and whether examples are
mirrored; the base is moved accordingly and `ls.infer` is asked, from the examples alone. A verdict is right when its
interval holds what was planted: `absent` where nothing was, `full` for all turns and for mirrors. Shifts and absent
mirrors are planted in objects on a ground alone: photographs come with shifts and mirrors of their own.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import learnsym as ls
from learnsym.files import write_json

TURNS, SHIFTS = (0.0, 30.0, 60.0, 180.0), (0.0, 0.1)
BASES = ("digits", "mnist", "cifar10-jpeg")
JUDGED = ["rotation", "translation_x", "translation_y", "mirror_left_right"]
NEAR = {"degree": 8.0, "shortest side": 0.02}
"""By how much an interval may miss: the natural spread of poses adds to what was planted."""


def planted(number: int) -> dict[str, Any]:
    """The truth of a trial."""
    draw = random.Random(number)
    base, turn, shift, mirror = draw.choice(BASES), draw.choice(TURNS), draw.choice(SHIFTS), draw.random() < 0.5
    photographs = base == "cifar10-jpeg"
    return {
        "base": base,
        "rotation": turn,
        "translation": 0.0 if photographs else shift,
        "mirror": mirror or photographs,
        "judged": [name for name in JUDGED if not (photographs and name.startswith("translation"))],
    }


def right(finding: ls.inference.Finding, truth: float | bool) -> bool:
    """Whether a verdict holds what was planted."""
    if isinstance(truth, bool):
        return finding.status == ("full" if truth else "absent")
    if truth == 0:
        return finding.status == "absent"
    if truth == 180:
        return finding.status == "full" or (finding.status == "up to" and (finding.high or 0.0) >= 180)
    if finding.status != "up to" or finding.low is None or finding.high is None:
        return False
    near = NEAR[finding.unit]
    return finding.low - near <= truth <= finding.high + near


def falsely_present(finding: ls.inference.Finding, truth: float | bool) -> bool:
    """Whether a symmetry is declared that was not planted, or one beyond what was."""
    if not finding.is_present:
        return False
    if isinstance(truth, bool):
        return not truth
    return finding.low is not None and finding.low > truth + NEAR[finding.unit]


def trial(number: int, examples: int, steps: int, workers: int) -> dict[str, Any]:
    """One trial: what was planted, what was found, and whether it is right."""
    truth, began = planted(number), time.perf_counter()
    law = ls.data.PlantConfig(
        rotation=truth["rotation"], translation=truth["translation"], flip=0.5 if truth["mirror"] else 0.0
    )
    train = min(examples, 1397) if truth["base"] == "digits" else examples
    config = ls.data.DataConfig(name=truth["base"], train=train, val=200, test=200, plant=law, seed=number)
    x = ls.data.load_splits(config).train.inputs
    settings = ls.inference.InferenceConfig(
        only=truth["judged"], examples=examples, steps=steps, workers=workers, seed=number
    )
    inference = ls.infer(x, config=settings)
    truths = {
        "rotation": truth["rotation"],
        "translation_x": truth["translation"],
        "translation_y": truth["translation"],
        "mirror_left_right": truth["mirror"],
    }
    found = {name: inference.finding(name) for name in truth["judged"]}
    return {
        "trial": number,
        **truth,
        "words": {name: finding.words for name, finding in found.items()},
        "right": {name: right(finding, truths[name]) for name, finding in found.items()},
        "ends": {name: [finding.estimate, finding.low, finding.high] for name, finding in found.items()},
        "falsely_present": [name for name, finding in found.items() if falsely_present(finding, truths[name])],
        "seconds": round(time.perf_counter() - began, 1),
    }


def run_trials(
    one: Callable[[int, int, int, int], dict[str, Any]], about: str | None, out: Path, trials: int, examples: int
) -> None:
    """Run trials that are not in the file yet.

    Args:
        one: a trial, of its number, examples, steps and workers.
        about: what the command does.
        out: file of the trials, by default.
        trials, examples: how many, by default.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--trials", type=int, default=trials)
    parser.add_argument("--first", type=int, default=0, help="number of the first trial")
    parser.add_argument("--examples", type=int, default=examples)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=out)
    options = parser.parse_args()
    rows = json.loads(options.out.read_text())["trials"] if options.out.exists() else []
    for number in range(options.first, options.first + options.trials):
        if any(row["trial"] == number for row in rows):
            continue
        rows.append(one(number, options.examples, options.steps, options.workers))
        write_json(options.out, {"examples": options.examples, "steps": options.steps, "trials": rows}, indent=1)
        print(rows[-1], flush=True)
    good = sum(all(row["right"].values()) for row in rows)
    false = sum(bool(row["falsely_present"]) for row in rows)
    print(f"{good} of {len(rows)} trials right in all; {false} with something falsely present")


if __name__ == "__main__":
    run_trials(trial, __doc__, Path(__file__).with_name("trials.json"), trials=20, examples=2000)
