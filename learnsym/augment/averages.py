"""How the outputs for several transformed copies become one output.

Legend of axes: `S` group samples, `B` batch, `C` classes (axis 1 of an output).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

Average = Callable[[Tensor], Tensor]


def mean_log_probabilities(outputs: Float[Tensor, "S B C *grid"]) -> Float[Tensor, "B C *grid"]:
    """The mean over copies of `log softmax`: the geometric mean of probabilities up to its normalisation.

    Reference: the rule of Benton et al. (2020), arXiv 2010.11882.
    """
    return outputs.log_softmax(2).mean(0)


def mean_probabilities(outputs: Float[Tensor, "S B C *grid"]) -> Float[Tensor, "B C *grid"]:
    """The logarithm of the mean over copies of `softmax`."""
    return outputs.log_softmax(2).logsumexp(0) - math.log(len(outputs))


def mean_outputs(outputs: Float[Tensor, "S B *rest"]) -> Float[Tensor, "B *rest"]:
    """The mean over copies of the outputs themselves: for regression, and for logits."""
    return outputs.mean(0)


averages: dict[str, Average] = {
    "log_probabilities": mean_log_probabilities,
    "probabilities": mean_probabilities,
    "outputs": mean_outputs,
}
