"""What decides which twin is better."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    import pandas as pd

Scale = Callable[[Float[np.ndarray, " P"]], Float[np.ndarray, " P"]]
FEWEST_ERRORS = 1e-4
"""Share of wrong answers below which logarithms would tell nothing but the size of the test set."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A column of the table on a scale where more is better and differences compare across data sizes."""

    name: str
    column: str
    unit: str
    """The unit of what `shown` gives."""
    margin: float
    """How far behind the better twin an arm may be and still keep up, in units of scores."""
    scores: Scale
    """Values of the column to scores."""
    value: Callable[[float], float]
    """A score to the value of the column."""
    shown: Callable[[float], float]
    """A difference of scores to what a reader sees: points or nats, or percent by which the larger loss exceeds the
    other."""
    additive: bool = False
    """Whether scores are values of the column, whose differences are read as they are, and not logarithms."""
    lowest: float = -math.inf
    highest: float = math.inf
    """The scores that are possible: no interval goes beyond."""
    variance: Callable[[float], float] | None = None
    """How much the draw of one test example makes a score vary; None when the table does not tell."""


def _log(values: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
    return -np.log(np.maximum(values, np.finfo(float).tiny))


def _percent(difference: float) -> float:
    if math.isinf(difference):
        return difference
    return math.copysign(100.0 * math.expm1(min(abs(difference), 700.0)), difference)


ACCURACY = Metric(
    name="accuracy",
    column="test_accuracy",
    unit="points",
    margin=0.5,
    scores=lambda values: 100.0 * values,
    value=lambda score: score / 100.0,
    shown=lambda difference: difference,
    additive=True,
    lowest=0.0,
    highest=100.0,
    variance=lambda score: score * (100.0 - score),
)
ERROR_RATE = Metric(
    name="error rate",
    column="test_accuracy",
    unit="%",
    margin=math.log(1.05),
    scores=lambda values: _log(np.maximum(1.0 - values, FEWEST_ERRORS)),
    value=lambda score: 1.0 - math.exp(-score),
    shown=_percent,
    lowest=0.0,
    highest=-math.log(FEWEST_ERRORS),
    variance=lambda score: math.expm1(score),  # delta method: (1 - e) e / e² with e = exp(-score)
)
LOSS = Metric(
    name="loss",
    column="test_loss",
    unit="%",
    margin=math.log(1.05),
    scores=_log,
    value=lambda score: math.exp(-score),
    shown=_percent,
)
LOG_LIKELIHOOD = Metric(
    name="log-likelihood",
    column="test_log_likelihood",
    unit="nats",
    margin=0.01,
    scores=lambda values: values,
    value=lambda score: score,
    shown=lambda difference: difference,
    additive=True,
)


def metric_of(table: pd.DataFrame) -> Metric:
    """Accuracy or log-likelihood where the table has one, else the loss."""
    return next((metric for metric in (ACCURACY, LOG_LIKELIHOOD) if _has(table, metric)), LOSS)


def logarithmic(table: pd.DataFrame) -> Metric:
    """The metric in which power laws are straight lines: the error rate where there are accuracies, else the usual."""
    usual = metric_of(table)
    return ERROR_RATE if usual is ACCURACY else usual


def _has(table: pd.DataFrame, metric: Metric) -> bool:
    """Whether a row has a number in the column; tables of older versions may lack it."""
    return metric.column in table and bool(np.isfinite(table[metric.column].to_numpy(dtype=float)).any())
