"""What a comparison says, with intervals: crossovers, regret, data efficiency, the best arm of each cell."""

from learnsym.comparison.verdicts.best import Best, best_arms
from learnsym.comparison.verdicts.crossover import Crossover, crossover
from learnsym.comparison.verdicts.difference import Difference
from learnsym.comparison.verdicts.efficiency import Efficiency, data_efficiency
from learnsym.comparison.verdicts.grid import Place, at_best, finished, length_unit, lengths, settings, where
from learnsym.comparison.verdicts.metrics import ACCURACY, ERROR_RATE, LOG_LIKELIHOOD, LOSS, Metric, metric_of
from learnsym.comparison.verdicts.recommendation import Recommendation, recommend
from learnsym.comparison.verdicts.regions import Crossing, Region, regions
from learnsym.comparison.verdicts.regret import Behind, Regret, regret
from learnsym.comparison.verdicts.scores import Scores

__all__ = [
    "ACCURACY",
    "ERROR_RATE",
    "LOG_LIKELIHOOD",
    "LOSS",
    "Behind",
    "Best",
    "Crossing",
    "Crossover",
    "Difference",
    "Efficiency",
    "Metric",
    "Place",
    "Recommendation",
    "Region",
    "Regret",
    "Scores",
    "at_best",
    "best_arms",
    "crossover",
    "data_efficiency",
    "finished",
    "length_unit",
    "lengths",
    "metric_of",
    "recommend",
    "regions",
    "regret",
    "settings",
    "where",
]
