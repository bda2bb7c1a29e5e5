"""The log evidence of all examples by an approximation of the curvature, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from learnsym.objectives.marginal_likelihood.curvature import Form, added, squares
from learnsym.objectives.marginal_likelihood.evidence import Evidence
from learnsym.objectives.marginal_likelihood.kronecker import Kronecker
from learnsym.objectives.marginal_likelihood.likelihoods import Likelihood
from learnsym.parts import Whole, examples, split


def whole_evidence(
    model: nn.Module,
    precisions: Mapping[str, Tensor],
    x: Whole,
    y: Tensor,
    likelihood: Likelihood,
    form: Form = Kronecker(),  # noqa: B008  frozen
    *,
    batch: int = 128,
    create_graph: bool = False,
) -> Evidence:
    """Laplace's log evidence at the weights as they are, with the curvature of all examples.

        log p(D) ≈ Σ_n log p(y_n | x_n, w) - 1/2 Σ_l δ_l |w_l|² - 1/2 log det(1 + H δ^-1)

    In the terms of laplace-torch: log likelihood - 1/2 (log determinant of the ratio of posterior and prior precision +
    scatter), with a prior of mean zero.

    References: MacKay (1992); Immer et al. (2021), arXiv 2104.04975, for networks.

    Args:
        model: at its mode, in evaluation mode.
        precisions: `δ_l` of each tensor that has a normal prior; others have a flat one.
        x, y: all examples.
        likelihood: of the targets.
        form: how the curvature is approximated.
        batch: examples at a time.
        create_graph: to whatever the model is made of, and to the precisions, which keeps all batches in memory.

    Raises:
        ValueError: for layers without such a curvature, or no precision of a tensor.

    Example:
        >>> from learnsym.objectives.marginal_likelihood.likelihoods import Classes
        >>> net = nn.Linear(4, 3)
        >>> precisions = {name: torch.ones(()) for name in ("weight", "bias")}
        >>> found = whole_evidence(net, precisions, torch.randn(8, 4), torch.arange(8) % 3, Classes())
        >>> bool(found.total < found.fit), sorted(found.dimensions)
        (True, ['bias', 'weight'])
    """
    held = form.held(model, {name: p for name, p in model.named_parameters() if name in precisions})
    missing = sorted(set(precisions) - set(held))
    if missing:
        raise ValueError(f"precisions: got one of {missing[0]}, which has no such curvature; leave it out")
    count, fits, means = examples(x), [], {}
    for part, targets in zip(split(x, batch), y.split(batch), strict=True):
        f, curvature = form.of(model, held, part, likelihood, create_graph=create_graph)
        fits.append(likelihood.log_prob(f, targets).double().sum())
        means = added(means, curvature.means, len(f) / count)
    fit = torch.stack(fits).sum()
    occam = curvature.with_means(means).occam(precisions, count)
    complexity = (squares(held, precisions) + occam.log_determinant) / 2
    if not create_graph:
        fit, complexity = fit.detach(), complexity.detach()
    return Evidence(fit - complexity, fit, complexity, occam.dimensions)
