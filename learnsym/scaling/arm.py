"""What the runs of one arm say: its laws, its frontier, the worth of repetitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnsym.scaling.bootstrap import LawIntervals, law_intervals
from learnsym.scaling.budgets import isoflop_of
from learnsym.scaling.cost import SampleCost
from learnsym.scaling.frontier import Frontier, frontier
from learnsym.scaling.isoflop import IsoFlop
from learnsym.scaling.noise import LEAST_DELTA, huber_delta
from learnsym.scaling.repeated_intervals import RepeatedIntervals, repeated_intervals
from learnsym.scaling.runs import COSTS, Runs
from learnsym.scaling.settings import StudySettings
from learnsym.scaling.unfixed import unfixed

CLEAR = 0.05
"""The interval of `E` has to start above this share of the least loss for `E` to be established."""
POINTS = 41


@dataclass(frozen=True, kw_only=True)
class ArmStudy:
    """The findings on one arm; what could not be found is a sentence that says why."""

    runs: Runs
    fitted: Runs
    """Those that the law is fitted to: runs that repeat no data, where these suffice."""
    costs: dict[str, SampleCost]
    """`counted`, `nominal` and `seconds`, as far as they are known."""
    with_E: LawIntervals | str
    without_E: LawIntervals | str
    irreducible: bool
    """Whether `law` is the one with `E`."""
    frontiers: dict[str, Frontier]
    isoflops: dict[str, IsoFlop | str]
    repeated: RepeatedIntervals | str
    delta: float
    """Where the Huber loss turns linear, from the noise of the runs."""
    notes: tuple[str, ...]

    @property
    def law(self) -> LawIntervals | None:
        """The law that figures and sentences use, if there is one."""
        return None if isinstance(self._chosen, str) else self._chosen

    @property
    def problem(self) -> str | None:
        """Why there is none."""
        return self._chosen if isinstance(self._chosen, str) else None

    @property
    def _chosen(self) -> LawIntervals | str:
        return self.with_E if self.irreducible else self.without_E


def study_arm(runs: Runs, settings: StudySettings) -> ArmStudy:
    """Fit all that the runs of an arm allow."""
    fitted, notes = _fresh(runs)
    delta = _delta(fitted)
    fits = {flag: _law(fitted, flag, settings, delta) for flag in (True, False)}
    # before laws are refused: runs that establish E refute the law without it, even where they do not fix that with it
    irreducible = _established(fits[True], fitted, settings)
    laws = {flag: _fixed(fit, fitted) for flag, fit in fits.items()}
    law = laws[irreducible]
    costs, problems = _costs(runs)
    frontiers = {}
    if not isinstance(law, str):
        frontiers = {kind: frontier(law, cost, _range(runs, kind), settings.level) for kind, cost in costs.items()}
    return ArmStudy(
        runs=runs,
        fitted=fitted,
        costs=costs,
        with_E=laws[True],
        without_E=laws[False],
        irreducible=irreducible,
        frontiers=frontiers,
        isoflops={kind: isoflop_of(fitted, kind) for kind in COSTS if kind in runs.cost},
        repeated=_repeated(runs, irreducible, settings, delta),
        delta=delta,
        notes=(*notes, *problems),
    )


def _fresh(runs: Runs) -> tuple[Runs, list[str]]:
    """The runs that repeat no data when a law can be fitted to them, else all."""
    once = runs.epochs <= 1 + 1e-9
    if once.all():
        return runs, []
    some = (
        f"{runs.arm}: {int((~once).sum())} of {len(once)} runs repeat their data, up to {runs.epochs.max():.3g} times"
    )
    if once.any():
        fresh = runs.where(once)
        if fresh.cell_count > 5 and min(len(np.unique(fresh.N)), len(np.unique(fresh.D))) > 1:
            return fresh, [f"{some}; the law is fitted to the {int(once.sum())} others."]
    return runs, [f"{some}; the law counts repeated samples as new ones, so that its b mixes both."]


def _delta(runs: Runs) -> float:
    try:
        return huber_delta(runs.N, runs.D, runs.loss)
    except ValueError:  # no law, which `_law` says
        return LEAST_DELTA


def _law(runs: Runs, irreducible: bool, settings: StudySettings, delta: float) -> LawIntervals | str:
    sizes, lengths, needed = len(np.unique(runs.N)), len(np.unique(runs.D)), 4 + irreducible
    if sizes + lengths - 1 <= needed:  # a sum of a function of N and one of D has no more freedom than that
        return (
            f"{sizes} numbers of parameters and {lengths} of samples cannot check a law of {needed} coefficients, "
            f"together there must be {needed + 2} or more; train other sizes or lengths"
        )
    try:
        return law_intervals(
            runs.N, runs.D, runs.loss, runs.cells, irreducible=irreducible, delta=delta, **settings.resampling
        )
    except ValueError as error:
        return str(error)


def _fixed(fit: LawIntervals | str, runs: Runs) -> LawIntervals | str:
    """The law, or why the runs do not fix it."""
    return fit if isinstance(fit, str) else unfixed(fit.law, (fit.a, fit.b), runs.N, runs.D) or fit


def _established(law: LawIntervals | str, runs: Runs, settings: StudySettings) -> bool:
    if settings.irreducible != "auto" or isinstance(law, str):
        return settings.irreducible == "yes"
    return law.E.ends[0] > CLEAR * float(runs.loss.min())


def _costs(runs: Runs) -> tuple[dict[str, SampleCost], list[str]]:
    costs, problems = {}, []
    for kind, values in runs.cost.items():
        try:
            costs[kind] = SampleCost.of(runs.N, values)
        except ValueError as error:
            problems.append(f"{runs.arm}, {kind}: {error}.")
    return costs, problems


def _range(runs: Runs, kind: str) -> np.ndarray:
    compute = runs.compute(kind)
    return np.geomspace(compute.min(), compute.max() * (1 + 1e-9), POINTS)


def _repeated(runs: Runs, irreducible: bool, settings: StudySettings, delta: float) -> RepeatedIntervals | str:
    if (runs.epochs <= 1 + 1e-9).all():
        return "no run sees an example twice"
    try:
        intervals = repeated_intervals(
            runs.N, runs.U, runs.D, runs.loss, runs.cells, irreducible=irreducible, delta=delta, **settings.resampling
        )
    except ValueError as error:
        return str(error)
    return unfixed(intervals.law.law, (intervals.a, intervals.b), runs.N, runs.D) or intervals
