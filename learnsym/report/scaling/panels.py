"""Which figures a study of scaling has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from learnsym.report.figures import scaling as figures
from learnsym.report.figures.arms import arm_looks
from learnsym.report.panel import Panel
from learnsym.report.words import quantity
from learnsym.scaling.isoflop import IsoFlop
from learnsym.scaling.repeated_intervals import RepeatedIntervals
from learnsym.scaling.study import Study

SIZE = (4.4, 3.4)


def panels(study: Study) -> Iterator[Panel]:
    """All figures that the findings allow, not yet drawn."""
    looks, kind = arm_looks([arm.runs.arm for arm in study.arms]), study.settings.flops
    for shown in dict.fromkeys((kind, "counted", "nominal", "seconds")):
        if any(shown in arm.costs for arm in study.arms):
            make = partial(figures.loss_against_compute, study.arms, looks, kind=shown, loss=study.settings.loss)
            yield Panel(kind="scaling_loss", data=_title(shown), alt=_frontiers(study, shown), size=SIZE, draw=make)
    for of, name in (("N", "parameters"), ("D", "samples")):
        make = partial(figures.best_split, study.arms, looks, of=of, kind=kind)
        yield Panel(kind="scaling_best", data=f"best {name}", alt=_exponents(study, of), size=SIZE, draw=make)
    for arm in study.arms:
        name = arm.runs.arm
        if isinstance(arm.isoflops.get(kind), IsoFlop):
            make = partial(figures.budget_parabolas, arm, looks[name], kind=kind)
            alt = f"Loss against parameters at each budget of compute, {name}, with a parabola through each."
            yield Panel(kind="scaling_budgets", data=name, alt=alt, size=SIZE, draw=make)
        if isinstance(arm.repeated, RepeatedIntervals):
            make = partial(figures.loss_against_repeats, arm, looks[name])
            alt = f"Loss against samples seen, {name}; R* is {quantity(arm.repeated.R_star)}."
            yield Panel(kind="scaling_repeats", data=name, alt=alt, size=SIZE, draw=make)


def _title(kind: str) -> str:
    return {"counted": "counted FLOPs", "nominal": "nominal FLOPs", "seconds": "wall-clock time"}[kind]


def _frontiers(study: Study, kind: str) -> str:
    ends = [
        f"{arm.runs.arm} from {frontier.loss.value[0]:.3g} to {frontier.loss.value[-1]:.3g}"
        for arm in study.arms
        for frontier in [arm.frontiers.get(kind)]
        if frontier is not None
    ]
    return f"Loss of all runs against {_title(kind)}, with the compute-optimal frontiers: {'; '.join(ends) or 'none'}."


def _exponents(study: Study, of: str) -> str:
    kind = study.settings.flops
    frontiers = [(arm.runs.arm, arm.frontiers[kind]) for arm in study.arms if kind in arm.frontiers]
    values = [f"{name} {quantity(f.N_exponent if of == 'N' else f.D_exponent)}" for name, f in frontiers]
    return f"Best number of {'parameters' if of == 'N' else 'samples'} against compute; exponents: {'; '.join(values)}."
