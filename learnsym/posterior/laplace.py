"""Intervals of degrees that live in weights: Laplace's approximation over the parameters of symmetry alone.

Legend of axes: `P` parameters, `N` held-out examples, `R` draws.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from tqdm.auto import tqdm

from learnsym._modes import evaluating, keeping_buffers
from learnsym.degrees import Degree
from learnsym.learners import degrees, symmetry_parameters
from learnsym.parts import Whole, chosen, device_of, examples, moved_to
from learnsym.posterior.data import held_out
from learnsym.posterior.gains import gains
from learnsym.posterior.of_outputs import LogLikelihood, checked, usual
from learnsym.statistics import LEVEL

log = logging.getLogger(__name__)

MOST = 2000
"""Parameters, of which the curvature is a dense matrix."""
STEPS = 20
"""Of Newton's method."""
SMALL = 0.05
"""Nats that a last step would gain, below which the mode is found."""
DRAWS = 100
BATCH = 64
METHOD = "Laplace"
OTHER_WEIGHTS = (
    "it depends on weights that are no parameters of symmetry, see residual_variances and degrees_over_seeds"
)
TOO_MANY = f"it has more than {MOST} parameters, see degrees_over_seeds"


@dataclass(frozen=True, kw_only=True)
class LaplacePosterior:
    """The normal law `N(m, C)` of the parameters of symmetry, given held-out examples and all other weights."""

    mode: Float[Tensor, "P"]
    covariance: Float[Tensor, "P P"]
    doubt: str = ""

    def draws(self, count: int, seed: int = 0) -> Float[Tensor, "R P"]:
        """Parameters from the law; the caller's random state is left alone."""
        noise = torch.randn(count, len(self.mode), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        return self.mode + noise @ torch.linalg.cholesky(self.covariance).mT


def laplace_degrees(
    model: nn.Module,
    data: Any,  # noqa: ANN401  a Dataset, or inputs and targets
    *,
    likelihood: LogLikelihood | None = None,
    scale: float = 1.0,
    level: float = LEVEL,
    seed: int = 0,
) -> list[Degree]:
    """The degrees of a trained model with intervals from held-out examples: the Bayesian last word on its layers.

        log p(θ | D) = Σ_n log p(y_n | x_n, θ) - |θ - θ_0|² / (2 scale²) + const
        C^-1 = Σ_n s_n s_n^T + I / scale²,    s_n = ∇ log p(y_n | x_n, θ)

    `θ` are the parameters of symmetry alone, `learners.symmetry_parameters(model)`, and for each residual or grid
    pathway, whose degree lives in many weights, a gain of what is not symmetric. All other weights are as they are;
    `θ_0` is what training found. From there Newton's method with that curvature goes to the mode, and the degrees of
    draws from `N(mode, C)` give the interval, joined with the degree of the mode, which is the estimate: draws alone
    would never hold an exact layer. The model is left as it was.

    It holds the noise of the held-out examples, not that of training. A degree that `θ` does not move keeps what the
    model says of it, an interval of its own or none with the reason.

    References: MacKay, "A practical Bayesian framework for backpropagation networks" (1992); curvature: Amari,
    "Natural gradient works efficiently in learning" (1998).

    Args:
        model: with layers that learn symmetry; in evaluation mode while it is asked.
        data: a `Dataset`, or a pair of inputs and targets, that the model was not trained on; at least 20 examples.
        likelihood: from outputs and targets to the log likelihood of each example `(B,)`; by default that of classes
            for integer targets and a normal law for others.
        scale: standard deviation of the prior around what training found, in units of the parameters.
        level: of the intervals.
        seed: of the draws.

    Raises:
        ValueError: for too few examples, no targets, or a scale that is not positive.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 2)
        >>> head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)]
        >>> model = nn.Sequential(ls.relax.RelaxedGroupConv2d(fields, fields, 3), *head)
        >>> data = torch.randn(40, 8, 5, 5), torch.randint(2, (40,))
        >>> (first, *others) = ls.posterior.laplace_degrees(model, data)
        >>> first.low <= first.estimate <= first.high
        True
    """
    if not 0 < scale < float("inf"):
        raise ValueError(f"scale: got {scale}, must be positive and finite; 1 is usual")
    x, y = held_out(data, model)
    with gains(model) as gammas:
        return _degrees(model, [*symmetry_parameters(model), *gammas], x, y, likelihood, scale, level, seed)


def _degrees(
    model: nn.Module,
    parameters: list[nn.Parameter],
    x: Whole,
    y: Tensor,
    likelihood: LogLikelihood | None,
    scale: float,
    level: float,
    seed: int,
) -> list[Degree]:
    found = degrees(model)
    count = sum(parameter.numel() for parameter in parameters)
    if not 0 < count <= MOST:
        return [_kept(degree, TOO_MANY if count else OTHER_WEIGHTS) for degree in found]
    with evaluating(model), keeping_buffers(model), _restored(parameters):
        posterior = laplace_posterior(model, parameters, x, y, likelihood=likelihood, scale=scale)
        rows = [_estimates(model, parameters, row) for row in (posterior.mode, *posterior.draws(DRAWS, seed))]
    values = torch.tensor(rows, dtype=torch.float64)
    return [_degree(each, values[:, i], level, posterior.doubt) for i, each in enumerate(found)]


def laplace_posterior(
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    x: Whole,
    y: Tensor,
    *,
    likelihood: LogLikelihood | None = None,
    scale: float = 1.0,
) -> LaplacePosterior:
    """The normal approximation over some parameters of a model, which end at the mode.

    Args:
        model: from a batch to outputs, in evaluation mode.
        parameters: those that have a posterior.
        x: held-out inputs.
        y: their targets.
        likelihood, scale: as of `laplace_degrees`.
    """
    of_outputs = likelihood or usual(y, lambda: _outputs(model, x))
    start = parameters_to_vector(parameters).detach().double()
    curvature = _curvature(model, parameters, x, y, of_outputs, scale)

    def joint() -> Tensor:
        """The log joint density, up to a constant."""
        rest = parameters_to_vector(parameters).double() - start.to(parameters[0].device)
        return _log_likelihoods(model, x, y, of_outputs).sum() - rest.square().sum() / (2 * scale**2)

    gain = _to_mode(parameters, joint, curvature)
    if gain > SMALL:  # far from the start, where the curvature is another one
        gain = _to_mode(parameters, joint, _curvature(model, parameters, x, y, of_outputs, scale))
    mode = parameters_to_vector(parameters).detach().double().cpu()
    covariance = torch.linalg.inv(_curvature(model, parameters, x, y, of_outputs, scale))
    doubt = "" if gain < SMALL else f"the mode of the posterior was not found, a step would gain {gain:.2g} nats"
    return LaplacePosterior(mode=mode, covariance=(covariance + covariance.mT) / 2, doubt=doubt)


def _to_mode(parameters: Sequence[nn.Parameter], joint: Any, curvature: Float[Tensor, "P P"]) -> float:  # noqa: ANN401
    """Newton's method with step halving; what a further step would gain, in nats."""
    gain = 0.0
    for _ in range(STEPS):
        before = joint()
        gradient = _flat(torch.autograd.grad(before, parameters, allow_unused=True), parameters)
        step = torch.linalg.solve(curvature, gradient)
        gain = float(gradient @ step) / 2
        if gain < SMALL / 10 or not _stepped(parameters, joint, step, float(before.detach())):
            return gain
    return gain


@torch.no_grad()
def _stepped(parameters: Sequence[nn.Parameter], joint: Any, step: Tensor, before: float) -> bool:  # noqa: ANN401
    """Go along a step as far as the density grows; whether it does at all."""
    here = parameters_to_vector(parameters).clone()
    for halving in range(10):
        vector_to_parameters(here + (0.5**halving * step).to(here), parameters)
        if float(joint()) > before:
            return True
    vector_to_parameters(here, parameters)
    return False


def _curvature(
    model: nn.Module, parameters: Sequence[nn.Parameter], x: Whole, y: Tensor, of_outputs: LogLikelihood, scale: float
) -> Float[Tensor, "P P"]:
    """`Σ_n s_n s_n^T + I / scale²`, from the score of each example."""
    scores = []
    for n in tqdm(range(examples(x)), desc="scores", leave=False, disable=None):
        value = _log_likelihoods(model, chosen(x, slice(n, n + 1)), y[n : n + 1], of_outputs).sum()
        scores.append(_flat(torch.autograd.grad(value, parameters, allow_unused=True), parameters))
    stacked = torch.stack(scores)
    return stacked.mT @ stacked + torch.eye(stacked.shape[1], dtype=torch.float64) / scale**2


def _flat(gradients: Sequence[Tensor | None], parameters: Sequence[nn.Parameter]) -> Float[Tensor, "P"]:
    """Gradients as one vector on the CPU; 0 for parameters that are not used."""
    parts = [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, parameters, strict=True)]
    return torch.cat([part.flatten() for part in parts]).double().cpu()


def _log_likelihoods(model: nn.Module, x: Whole, y: Tensor, of_outputs: LogLikelihood) -> Float[Tensor, "N"]:
    device = next((parameter.device for parameter in model.parameters()), device_of(x))
    values = []
    for part in torch.arange(len(y)).split(BATCH):
        outputs = model(moved_to(chosen(x, part), device))
        values.append(checked(of_outputs(outputs, y[part].to(outputs.device)), len(part)))
    return torch.cat(values).double()


@torch.no_grad()
def _outputs(model: nn.Module, x: Whole) -> Tensor:
    device = next((parameter.device for parameter in model.parameters()), device_of(x))
    return torch.cat([model(moved_to(chosen(x, part), device)) for part in torch.arange(examples(x)).split(BATCH)])


@torch.no_grad()
def _estimates(model: nn.Module, parameters: Sequence[nn.Parameter], row: Float[Tensor, "P"]) -> list[float]:
    """The degrees of a model with other parameters of symmetry."""
    vector_to_parameters(row.to(parameters_to_vector(parameters)), parameters)
    return [degree.estimate for degree in degrees(model)]


@contextmanager
def _restored(parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Parameters as they were afterwards."""
    before = [parameter.detach().clone() for parameter in parameters]
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(parameters, before, strict=True):
                parameter.copy_(value)


def _degree(degree: Degree, values: Float[Tensor, "R"], level: float, doubt: str) -> Degree:
    """A degree with the interval of its values, the first of which is that of the mode; its own where it has one."""
    if degree.low is not None or float(values.std()) <= 1e-12 + 1e-9 * abs(float(values[0])):
        return _kept(degree, OTHER_WEIGHTS)
    ends = values[1:].quantile(torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64))
    return replace(
        degree,
        estimate=float(values[0]),
        low=min(float(ends[0]), float(values[0])),
        high=max(float(ends[1]), float(values[0])),
        level=level,
        method=f"{degree.method}, {METHOD}",
        status="rejected" if doubt else "ok",
        reason=doubt,
    )


def _kept(degree: Degree, reason: str) -> Degree:
    """What the model says itself, with the reason why no held-out examples were asked."""
    return degree if degree.low is not None else replace(degree, status="no interval", reason=reason)
