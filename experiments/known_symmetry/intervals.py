"""Which variance of laws of poses has the width of their errors: python intervals.py --out FOLDER.

Laws of the calibrating half are read once and kept in the folder; each variance is then tried on the same readings.
`score` is the mean of `log se + z^2 / 2` with `z = error / se`, over laws whose interval has two ends with any of the
variances: the lower, the better (Gneiting and Raftery 2007).
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from scipy.stats import norm

from learnsym import measure
from learnsym.data.known import Range, Task, tasks
from learnsym.files import write_json
from learnsym.measure.pose import interval
from learnsym.measure.pose.alignment import first_readings
from learnsym.measure.pose.choice import WEAK, Choice, chosen_law, other_fits
from learnsym.measure.pose.law import LawFit, bootstrap_of, law_table
from learnsym.measure.pose.posterior import READ_WELL
from learnsym.measure.pose.read_out import ReadOut, folded
from learnsym.measure.pose.shapes import EDGE
from learnsym.measure.pose.study import STEP
from learnsym.statistics import LEVEL
from learnsym.suite.config import SIZES
from learnsym.suite.reading import examples_of, unfit

REPLICATES = 200
Law = dict[str, Any]
Ends = tuple[float, float, float]


@dataclass(frozen=True)
class Parts:
    """What the variance of a half-width may be made of, squares of degrees of the window."""

    free: float
    """Bootstrap without the prior of scales."""
    kept: float
    """Bootstrap with it."""
    folds: float
    width: float
    noise: float
    """Squares of half-width and scale of errors."""


VARIANCES: dict[str, Callable[[Parts], float]] = {
    "without prior, + folds, 1° and 1 %": lambda p: p.free + p.folds + 1 + 1e-4 * p.width,
    "(a) with prior, + folds, 1° and 1 %": lambda p: p.kept + p.folds + 1 + 1e-4 * p.width,
    "(b) without prior, or folds, 1° and 1 %": lambda p: max(p.free, p.folds) + 1 + 1e-4 * p.width,
    "(a) and (b), 1° and 1 %": lambda p: max(p.kept, p.folds) + 1 + 1e-4 * p.width,
    "(a) and (b), 0.5° and 1 %": lambda p: max(p.kept, p.folds) + 0.25 + 1e-4 * p.width,
    "(a) and (b), 3 %": lambda p: max(p.kept, p.folds) + 9e-4 * p.width,
    **{
        f"(a) and (b), {share} of the errors": lambda p, share=share: max(p.kept, p.folds) + share**2 * p.noise
        for share in (0.1, 0.13, 0.16, 0.2, 0.25)
    },
    "(a), + folds, 0.16 of the errors": lambda p: p.kept + p.folds + 0.16**2 * p.noise,
    "(a), no folds, 0.16 of the errors": lambda p: p.kept + 0.16**2 * p.noise,
}


def main() -> None:
    """Read the laws, or go on, and print a row for each variance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the readings")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--results", type=Path, help="file for the rows")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    asked = [task for task in tasks("calibrate") if not unfit("poses", task.name)]
    named = [(options.out / f"calibrate-{s}-{n:02d}.pt", t, s) for s in options.seeds for n, t in enumerate(asked)]
    for path, task, seed in named:
        if not path.exists():
            torch.save(read(task, seed), path)
    laws = [torch.load(path, weights_only=False) for path, _, _ in named]
    # the floor is among the variances that are tried
    interval.FLOOR = 0.0
    choices = [choice_of(law) for law in laws]
    found = {
        name: [ends(law, c, parts, variance) for law, (c, parts) in zip(laws, choices, strict=True)]
        for name, variance in VARIANCES.items()
    }
    domains = sorted({law["domain"] for law in laws})
    counted = [any(is_two_sided(law, each[i]) for each in found.values()) for i, law in enumerate(laws)]
    rows = [row(name, laws, each, counted, domains) for name, each in found.items()]
    print(f"{len(laws)} laws, {sum(counted)} with two ends")
    header = ("variance", "covered", "score", *(f"{d}: covered, error/se" for d in domains))
    print("\n".join(f"| {' | '.join(line)} |" for line in [header, ("---",) * len(header), *map(cells, rows)]))
    if options.results:
        write_json(options.results, {"laws": len(laws), "two_sided": sum(counted), "rows": rows}, indent=1)


def read(task: Task, seed: int) -> Law:
    """The readings of a law, and what its interval depends on."""
    truth = task.truth
    assert isinstance(truth, Range)  # of which laws are read
    x, steps = examples_of(task.name, SIZES["small"], seed), SIZES["small"].reading
    law = measure.pose_posterior(x, truth.symmetry, truth.generator, steps=steps, moves=truth.moves, seed=seed)
    return {
        **{"task": task.name, "domain": task.domain, "seed": seed, "truth": truth.half_width, "cap": truth.cap},
        **{"posterior": law.posterior, "fold": law.fold, "order": law.order, "unit": law.unit, "can": law.can_learn},
        **{"centre": law.read.centre, "sharp": law.read.sharpness, "closed": law.axis.closed},
        **{"apart": law.fit.told_apart, "reach": law.axis.reach / law.axis.generator.per_unit},
    }


def choice_of(law: Law) -> tuple[Choice, dict[int, Parts]]:
    """The shape that readings prefer, and the parts of the variance of each fit, by its identity."""
    reading, fold, closed, order = ReadOut(law["centre"], law["sharp"]), law["fold"], law["closed"], law["order"]
    options: dict[str, Any] = {"order": order, "apart": law["apart"], "bootstrap": REPLICATES, "seed": law["seed"]}
    choice = chosen_law(reading, fold, closed, STEP, **options)
    if closed and not choice.fit.is_flat and choice.fit.evidence <= WEAK:
        period = folded(law["posterior"], order) if order > 1 else law["posterior"]
        choice = replace(choice, others=tuple(other_fits(first_readings(period), fold, 2 * STEP, order)))
    # a prior as wide as that is none
    table = replace(law_table(closed, STEP, "uniform", order), spread=math.inf)
    parts = {}
    for fit in choice.fits.values():
        free = bootstrap_of(reading.centre, fit.strata, fit.fits, table, REPLICATES, law["seed"])
        parts[id(fit)] = _parts(fit, free.tolist(), fit.bootstrap.tolist())
    return choice, {**parts, **{id(fit): _parts(fit, [0.0, 0.0], [0.0, 0.0]) for fit in choice.others}}


def _parts(fit: LawFit, free: list[float], kept: list[float]) -> Parts:
    folds = statistics.variance(fit.folds) / len(fit.folds)
    return Parts(statistics.variance(free), statistics.variance(kept), folds, fit.half_width**2, fit.noise**2)


def ends(law: Law, choice: Choice, parts: dict[int, Parts], variance: Callable[[Parts], float]) -> Ends:
    """Estimate, lower and upper end with a variance, in the unit of the generator."""

    @cache
    def given(number: int) -> LawFit:
        # a bootstrap of two values hands the variance over
        spread = math.sqrt(variance(parts[number]) / 2)
        return replace(fits[number], bootstrap=torch.tensor([-spread, spread]), folds=[0.0, 0.0])

    fits = {id(fit): fit for fit in [*choice.fits.values(), *choice.others]}
    tried = replace(
        choice,
        fits={form: given(id(fit)) for form, fit in choice.fits.items()},
        others=tuple(given(id(fit)) for fit in choice.others),
    )
    estimate, low, high = (end * law["unit"] for end in interval.extent_interval(tried, law["closed"], LEVEL))
    if not law["can"]:
        return estimate, 0.0, EDGE * law["unit"]
    is_cut = not law["closed"] and estimate > READ_WELL * law["reach"]
    return estimate, low, EDGE * law["unit"] if is_cut else high


def is_two_sided(law: Law, found: Ends) -> bool:
    """Whether both ends are inside of the range."""
    return 0 < found[1] < found[2] < law["cap"]


def holds(law: Law, found: Ends) -> bool:
    """Whether the interval holds the truth."""
    return found[1] - 1e-9 <= law["truth"] <= found[2] + 1e-9


def row(name: str, laws: list[Law], found: list[Ends], counted: list[bool], domains: list[str]) -> dict[str, Any]:
    """Coverage, score, and coverage with error/se of each domain."""
    quantile = float(norm.ppf(0.5 + LEVEL / 2))
    held = [holds(law, each) for law, each in zip(laws, found, strict=True)]
    scores, squares = [], {domain: [] for domain in domains}
    for law, (estimate, low, high), counts in zip(laws, found, counted, strict=True):
        stderr = max((high - low) / (2 * quantile * law["unit"]), 1e-9)
        z = (estimate - law["truth"]) / law["unit"] / stderr
        if counts:
            scores.append(math.log(stderr) + z**2 / 2)
        if is_two_sided(law, (estimate, low, high)):
            squares[law["domain"]].append(z**2)
    by_domain = {
        domain: {
            "covered": sum(h for law, h in zip(laws, held, strict=True) if law["domain"] == domain),
            "laws": sum(law["domain"] == domain for law in laws),
            "spread": math.sqrt(statistics.fmean(squares[domain])) if squares[domain] else None,
        }
        for domain in domains
    }
    return {"variance": name, "covered": sum(held), "score": statistics.fmean(scores), "domains": by_domain}


def cells(of: dict[str, Any]) -> tuple[str, ...]:
    """A row as text."""
    domains = of["domains"].values()
    texts = [f"{d['covered']} of {d['laws']}" + (f", {d['spread']:.2f}" if d["spread"] else "") for d in domains]
    return (of["variance"], str(of["covered"]), f"{of['score']:.3f}", *texts)


if __name__ == "__main__":
    main()
