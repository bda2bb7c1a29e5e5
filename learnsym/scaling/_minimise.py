"""Robust least squares for a batch of problems at once: many starts, or many resamples, of one small model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Model = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Parameters (R, K) to predictions (R, P) and their Jacobian (R, P, K)."""


def huber(residuals: Float[np.ndarray, "R P"], delta: float) -> Float[np.ndarray, "R P"]:
    """`r² / 2` up to `delta`, `delta (|r| - delta / 2)` beyond."""
    size = np.abs(residuals)
    return np.where(size <= delta, 0.5 * residuals**2, delta * (size - 0.5 * delta))


def minimise(
    model: Model,
    targets: Float[np.ndarray, "#R P"],
    weights: Float[np.ndarray, "#R P"],
    start: Float[np.ndarray, "R K"],
    bounds: Float[np.ndarray, "2 K"],
    delta: float,
    steps: int = 300,
    tolerance: float = 1e-9,
) -> tuple[Float[np.ndarray, "R K"], Float[np.ndarray, " R"]]:
    """Minimise `Σ_p w_p huber(y_p - f_p(θ))` for every row by damped Gauss-Newton steps on reweighted squares.

    The squares with weights `w min(1, δ / |r|)` lie above the Huber loss and touch it, so that a step which lowers
    them lowers it too. A sum and not a mean: means with `δ = 1e-3` are so small that optimisers stop at once
    (Besiroglu et al., 2024, arXiv 2404.10102).

    Returns:
        Parameters and objective of every row; a start that is not finite keeps the objective infinity.
    """
    rows = len(start)
    theta = np.clip(start, *bounds)
    targets, weights = (np.broadcast_to(part, (rows, targets.shape[1])) for part in (targets, weights))
    damping = np.full(rows, 1e-2)
    f, jacobian = model(theta)
    objective = (weights * huber(targets - f, delta)).sum(1)
    active, calm = np.arange(rows), np.zeros(rows, dtype=int)
    for _ in range(steps):
        r = targets[active] - f[active]
        w = weights[active] * np.minimum(1.0, delta / np.maximum(np.abs(r), delta))
        weighted = jacobian[active] * w[:, :, None]
        hessian = weighted.transpose(0, 2, 1) @ jacobian[active]
        gradient = np.einsum("rpk,rp->rk", weighted, r)
        diagonal = np.einsum("rkk->rk", hessian)
        floor = 1e-12 * diagonal.max(1, keepdims=True) + 1e-300
        added = (damping[active, None] * diagonal + floor)[:, :, None] * np.eye(theta.shape[1])
        trial = np.clip(theta[active] + np.linalg.solve(hessian + added, gradient[..., None])[..., 0], *bounds)
        f_trial, jacobian_trial = model(trial)
        objective_trial = (weights[active] * huber(targets[active] - f_trial, delta)).sum(1)
        better = objective_trial < objective[active]
        calm[active] = np.where(
            objective[active] - objective_trial > tolerance * objective[active], 0, calm[active] + 1
        )
        moved = active[better]
        theta[moved], f[moved], jacobian[moved] = trial[better], f_trial[better], jacobian_trial[better]
        objective[moved] = objective_trial[better]
        damping[active] = np.clip(damping[active] * np.where(better, 0.3, 5.0), 1e-12, 1e8)
        active = active[calm[active] < 8]
        if not len(active):
            break
    return theta, objective
