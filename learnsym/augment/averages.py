"""How the outputs for several transformed copies become one output.

For the cross-entropy of logits the mean of outputs and that of log-probabilities are one: they differ by a number that
all classes share, which `log_softmax` takes off again. The mean of outputs serves every other loss too.

Legend of axes: `S` group samples, `B` batch, `C` classes (axis 1 of an output).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

Average = Callable[[Tensor], Tensor]


def mean_log_probabilities(outputs: Float[Tensor, "S B *rest"]) -> Float[Tensor, "B *rest"]:
    """The mean over copies of `log softmax`: the geometric mean of probabilities up to its normalisation.

    Reference: the rule of Benton et al. (2020), arXiv 2010.11882.

    Raises:
        ValueError: for outputs of fewer than two classes.
    """
    return _log_probabilities(outputs).mean(0)


def mean_probabilities(outputs: Float[Tensor, "S B *rest"]) -> Float[Tensor, "B *rest"]:
    """The logarithm of the mean over copies of `softmax`.

    Raises:
        ValueError: for outputs of fewer than two classes.
    """
    return _log_probabilities(outputs).logsumexp(0) - math.log(len(outputs))


def mean_outputs(outputs: Float[Tensor, "S B *rest"]) -> Float[Tensor, "B *rest"]:
    """The mean over copies of the outputs themselves: for logits of classes, regression and images."""
    return outputs.mean(0)


def _log_probabilities(outputs: Tensor) -> Tensor:
    if outputs.ndim < 3 or outputs.shape[2] < 2:
        raise ValueError(
            f"average: got one for probabilities of classes, but the net gives {tuple(outputs.shape[1:])}, one column, "
            "whose probability is always 1; give average=mean_outputs"
        )
    return outputs.log_softmax(2)


averages: dict[str, Average] = {
    "log_probabilities": mean_log_probabilities,
    "probabilities": mean_probabilities,
    "outputs": mean_outputs,
}
