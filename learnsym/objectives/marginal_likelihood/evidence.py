"""The log evidence of a network, and how many of its weights the data determine.

Legend of axes: `B` batch, `D` outputs of an example, `R` rows of a root of the curvature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.objectives.marginal_likelihood.likelihoods import Likelihood
from learnsym.objectives.marginal_likelihood.rows import rows_of
from learnsym.parts import Whole


@dataclass(frozen=True)
class Evidence:
    """A log evidence in nats, or a bound from below when it is from a part of the examples."""

    total: Float[Tensor, ""]
    fit: Float[Tensor, ""]
    """Log likelihood of all examples."""
    complexity: Float[Tensor, ""]
    """What is taken off: the log prior of the weights and half a log-determinant, in nats."""
    dimensions: dict[str, Float[Tensor, ""]]
    """Effective dimensions `γ_l = tr(H_ll (H + δ)^-1_ll)` of each tensor of weights, at most its number of entries."""


def log_evidence(
    model: nn.Module,
    weights: Mapping[str, nn.Parameter],
    precisions: Mapping[str, Tensor],
    x: Whole,
    y: Tensor,
    likelihood: Likelihood,
    *,
    examples: int | None = None,
    column: int | None = None,
) -> Evidence:
    """Laplace's approximation of `log p(D) = log ∫ p(D | w) N(w; 0, δ^-1) dw` at the weights as they are.

        log p(D) ≈ Σ_n log p(y_n | x_n, w) - 1/2 Σ_l δ_l |w_l|² - 1/2 log det(1 + R δ^-1 R^T)

    `H = R^T R` is the generalised Gauss-Newton matrix of all weights together, with its off-diagonal blocks, and the
    log-determinant of `H δ^-1 + 1` is taken among examples, where it is smaller (determinant lemma). Nothing is assumed
    of the layers.

    With `examples` more than there are in the batch, and with one `column` of the `D` columns of the curvature, sums
    and log-determinant are scaled up. The log-determinant of a matrix is at most the sum of those of its diagonal
    blocks (Fischer's inequality), so that the mean over batches and columns is a lower bound of the log evidence.

    The result has a graph to whatever the model is made of, laws of transformations included.

    References: MacKay (1992), "A practical Bayesian framework for backpropagation networks"; for bounds from batches
    and single outputs Immer et al. (2023), arXiv 2306.03968; for symmetries Immer et al. (2022), arXiv 2202.10638.

    Args:
        model: at its mode, in evaluation mode, but for what draws group elements.
        weights: tensors of weights by name, which have a normal prior.
        precisions: `δ_l` of each, positive.
        x: inputs.
        y: targets.
        likelihood: of the targets.
        examples: `N`; those of the batch when None.
        column: of the root of the curvature; all when None.

    Example:
        >>> from learnsym.objectives.marginal_likelihood.likelihoods import Classes
        >>> net = nn.Linear(4, 3)
        >>> weights, one = dict(net.named_parameters()), torch.ones(())
        >>> x, y = torch.randn(8, 4), torch.arange(8) % 3
        >>> found = log_evidence(net, weights, dict.fromkeys(weights, one), x, y, Classes())
        >>> bool(found.total < 0), sorted(found.dimensions)
        (True, ['bias', 'weight'])
    """
    rows = rows_of(model, weights, x, likelihood, column)
    count = len(rows.outputs)
    share = (count if examples is None else examples) / count
    columns = rows.outputs.shape[1] if column is not None else 1
    logs = {name: value.detach().double().log().requires_grad_() for name, value in precisions.items()}
    gram = rows.gram({name: log.exp() for name, log in logs.items()}).double()
    determinant = share * columns * torch.logdet(torch.eye(len(gram), dtype=gram.dtype, device=gram.device) + gram)
    squares = torch.stack([logs[name].exp().detach() * weight.square().sum() for name, weight in weights.items()]).sum()
    fit = share * likelihood.log_prob(rows.outputs, y).double().sum()
    complexity = (squares + determinant) / 2
    # d log det(1 + R δ^-1 R^T) / d log δ_l = -γ_l
    slopes = torch.autograd.grad(determinant, list(logs.values()), retain_graph=True)
    dimensions = {name: (-slope).clamp(0, weights[name].numel()) for name, slope in zip(logs, slopes, strict=True)}
    return Evidence(fit - complexity, fit, complexity, dimensions)
