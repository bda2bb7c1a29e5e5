"""How often intervals hold the truth."""

import torch

from learnsym.statistics import Estimate


def coverage(intervals, truth):
    intervals = list(intervals)
    return sum(each.low <= truth <= each.high for each in intervals) / len(intervals)


def estimates(replicates, examples, draw=torch.randn):
    return [Estimate.of(values) for values in draw(replicates, examples, dtype=torch.float64)]
