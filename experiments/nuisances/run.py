"""Does the law of poses tell what subjects show from what a camera adds? See README.md."""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from nuisances import NUISANCES, pictures
from subjects import SUBJECTS
from tqdm.auto import tqdm

from learnsym import measure
from learnsym.files import write_atomically

WIDTHS = (180, 30, 60, 90)
SIZES = (24, 32, 40)


@dataclass(frozen=True)
class Trial:
    """Subjects at all angles, or within a range, under one nuisance."""

    subject: str
    nuisance: str
    width: int
    """Half-width of the law of the angles of the subjects, in degrees."""
    seed: int

    @property
    def key(self) -> str:
        """What the result is kept under."""
        return f"{self.subject}, {self.nuisance}, ±{self.width}, seed {self.seed}"

    def run(self, examples: int, steps: int) -> dict[str, Any]:
        """The law that is found, and whether it is right."""
        random = torch.Generator().manual_seed(1000 + self.seed)
        turn = math.radians(self.width) * (2 * torch.rand(examples, generator=random) - 1)
        size = SIZES[self.seed % len(SIZES)]
        x, start = pictures(self.subject, examples, size, turn, self.nuisance, self.seed), time.perf_counter()
        law = measure.pose_posterior(x, "rotation2d", steps=steps, seed=self.seed)
        found = {"estimate": law.half_width, "low": law.low, "high": law.high, "order": law.order}
        return {
            **found,
            "size": size,
            "flat": law.is_flat,
            "cue": law.cue,
            "named": any(word in law.cue.split("; or ")[0] for word in NUISANCES[self.nuisance].names),
            "covers": law.order == 1 and law.low <= self.width <= law.high,
            "status": law.status,
            "with_cue": None if math.isnan(law.with_cue) else law.with_cue,
            "seconds": round(time.perf_counter() - start, 1),
        }


def right(trial: Trial, result: dict[str, Any]) -> bool:
    """Full, or the nuisance named, of subjects at all angles; an interval that covers the range of others."""
    if trial.width == 180:
        return result["flat"] or (result["order"] == 1 and result["high"] >= 179 and result["low"] >= 90)
    return result["covers"]


def wilson(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927)."""
    middle = (count + z**2 / 2) / (total + z**2)
    half = z / (total + z**2) * math.sqrt(count * (total - count) / total + z**2 / 4)
    return middle - half, middle + half


def trials(subjects: list[str], nuisances: list[str], widths: list[int], seeds: list[int]) -> list[Trial]:
    """All combinations, those of one seed together."""
    return [Trial(s, n, w, seed) for seed in seeds for w in widths for s in subjects for n in nuisances]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", nargs="+", choices=list(SUBJECTS), default=list(SUBJECTS))
    parser.add_argument("--nuisances", nargs="+", choices=list(NUISANCES), default=list(NUISANCES))
    parser.add_argument("--widths", nargs="+", type=int, choices=WIDTHS, default=list(WIDTHS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[100])
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--minutes", type=float, default=math.inf, help="after which no further trial begins")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("trials.json"))
    return parser.parse_args()


def main() -> None:
    """Run what is not in the file yet, and print a table."""
    asked = arguments()
    torch.set_num_threads(1)
    wanted = trials(asked.subjects, asked.nuisances, asked.widths, asked.seeds)
    results = json.loads(asked.out.read_text(encoding="utf8")) if asked.out.exists() else {}
    start = time.perf_counter()
    for trial in tqdm([t for t in wanted if t.key not in results], disable=None, unit="trial"):
        if time.perf_counter() - start > 60 * asked.minutes:
            break
        results[trial.key] = trial.run(asked.examples, asked.steps)
        write_atomically(asked.out, (json.dumps(results, indent=1) + "\n").encode())
    for width in asked.widths:
        mine = [t for t in wanted if t.width == width and t.key in results]
        if not mine:
            continue
        score = sum(right(t, results[t.key]) for t in mine)
        cued = [t for t in mine if results[t.key]["cue"]]
        named = sum(results[t.key]["named"] for t in cued)
        low, high = wilson(score, len(mine))
        print(f"±{width}: {score} of {len(mine)} right, {score / len(mine):.0%} [{low:.0%}, {high:.0%}]", end="; ")
        print(f"{len(cued)} with a cue, of which {named} named first as it is")


if __name__ == "__main__":
    main()
