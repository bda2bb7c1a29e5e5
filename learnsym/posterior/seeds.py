"""Intervals over trainings: the only ones that hold the noise of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from learnsym.degrees import Degree
from learnsym.learners import degrees
from learnsym.statistics import LEVEL, over_seeds


def degrees_over_seeds(models: Sequence[nn.Module], level: float = LEVEL) -> list[Degree]:
    """The mean of each degree over models that differ in the seed alone, with Student's interval.

    It holds what another seed, and another split where seeds draw it, would change: how much one training can be
    trusted. With three seeds Student's t is wide (2.9 standard errors at 90 %) and right. An interval whose ends no
    degree can reach, below 0 or beyond half a turn, is cut there.

    Args:
        models: at least two, of one architecture.
        level: of the intervals.

    Raises:
        ValueError: for fewer than two models, or models with other degrees.

    Example:
        >>> group = ls.groups.SO2()
        >>> boxes = [ls.distributions.LearnableBox(group, init) for init in (0.3, 0.35, 0.32)]
        >>> print(ls.posterior.degrees_over_seeds(boxes)[0])
        input: SO(2) rotation 58.2 degree [50.6, 65.8] at 90% (task, augerino, 3 seeds)
    """
    if len(models) < 2:
        raise ValueError(f"models: got {len(models)}, must be at least 2 for an interval over seeds; train more seeds")
    found = [degrees(model) for model in models]
    keys = [[(degree.site, degree.group, degree.generator) for degree in each] for each in found]
    if any(each != keys[0] for each in keys):
        raise ValueError("models: have different degrees, must be of one architecture; train all with one config")
    return [_over(same, level) for same in zip(*found, strict=True)]


def _over(same: Sequence[Degree], level: float) -> Degree:
    value = over_seeds([degree.estimate for degree in same], level).clipped(0.0, same[0].most)
    doubtful = next((degree for degree in same if degree.doubt), None)
    return replace(
        same[0],
        estimate=value.estimate,
        low=value.low,
        high=value.high,
        level=level,
        method=f"{same[0].method}, {len(same)} seeds",
        status="ok" if doubtful is None else doubtful.status,
        reason="" if doubtful is None else doubtful.reason,
    )
