"""Laws for limited data seen more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from learnsym.scaling._minimise import Model, minimise
from learnsym.scaling._surface import Surface
from learnsym.scaling.fit import STARTS
from learnsym.scaling.law import Law, Number

HALF_LIVES = (1e-2, 1e4)
STARTS_OF_HALF_LIFE = (1.0, 5.0, 25.0)


def effective_data(U: Number, D: Number, R_star: float) -> Number:
    """What `D` samples are worth that repeat `U` unique ones.

        D' = U + U R* (1 - exp(-R / R*)),    R = max(D / U - 1, 0)

    Samples seen first count 1; a repetition is worth less and less, all of them together `R*` epochs. Below one
    epoch `D' = D`.

    Reference: Muennighoff et al., "Scaling data-constrained language models" (2023), arXiv 2305.16264.

    Args:
        U: unique samples; arrays broadcast.
        D: samples seen, with repetitions.
        R_star: `R*`, the repetitions after which a sample has lost 1 - 1/e of its worth.

    Raises:
        ValueError: for an `R*` that is not positive.

    Example:
        >>> [round(float(ls.scaling.effective_data(100, 100 * epochs, 15.0))) for epochs in (1, 2, 5, 100)]
        [100, 197, 451, 1598]
    """
    if not R_star > 0:
        raise ValueError(f"R_star: got {R_star}, must be positive; about 15 was found for text")
    unique = np.minimum(U, D)
    repeats = np.maximum(np.asarray(D, dtype=float) / U - 1, 0.0)
    return unique - unique * R_star * np.expm1(-repeats / R_star)


@dataclass(frozen=True, kw_only=True)
class RepeatedLaw:
    """A law in effective data, `L(N, D'(U, D))`."""

    law: Law
    R_star: float

    def loss(self, N: Number, U: Number, D: Number) -> Number:
        """The loss at `N` parameters and `D` samples that repeat `U` unique ones."""
        return self.law.loss(N, effective_data(U, D, self.R_star))


def fit_repeated(
    N: np.ndarray,
    U: np.ndarray,
    D: np.ndarray,
    loss: np.ndarray,
    irreducible: bool = True,
    delta: float = 1e-3,
    starts: tuple[float, ...] = STARTS,
) -> RepeatedLaw:
    """The law and the worth of repetitions nearest to a grid of runs with limited data, fitted together.

    With augmentation `R*` is larger where transformed copies are worth more than copies; fit both arms and compare.
    The worth of parameters in excess of the data, which the paper discounts too, is left at 1.

    Reference: Muennighoff et al., "Scaling data-constrained language models" (2023), arXiv 2305.16264.

    Args:
        N: parameters of each run, (P,).
        U: unique samples of each run, (P,).
        D: samples each run saw, with repetitions, (P,).
        loss: held-out loss of each run, (P,).
        irreducible: whether the law has the constant `E`.
        delta: where the Huber loss turns linear, as in `fit_law`.
        starts: exponents to start from, as in `fit_law`.

    Raises:
        ValueError: as `fit_law`, and when no run repeats its data.

    Example:
        >>> grid = np.meshgrid([1e5, 1e6, 1e7], [1e3, 1e4], [1.0, 4.0, 16.0, 64.0])
        >>> N, U, epochs = (x.ravel() for x in grid)
        >>> truth = ls.scaling.RepeatedLaw(law=ls.scaling.Law(0.1, 30.0, 0.4, 20.0, 0.3), R_star=12.0)
        >>> round(ls.scaling.fit_repeated(N, U, U * epochs, truth.loss(N, U, U * epochs)).R_star, 3)
        12.0
    """
    return fitted_repeated(N, U, D, loss, irreducible, delta, starts).law


class RepeatedFit(NamedTuple):
    """A fit with all that resampling needs; the last parameter is `log R*`."""

    law: RepeatedLaw
    theta: np.ndarray
    surface: Surface
    model: Model
    bounds: np.ndarray


def fitted_repeated(
    N: np.ndarray,
    U: np.ndarray,
    D: np.ndarray,
    loss: np.ndarray,
    irreducible: bool,
    delta: float,
    starts: tuple[float, ...] = STARTS,
) -> RepeatedFit:
    """The law of repeated data, and the parameters of the surface that it has."""
    surface = Surface.of(N, D, loss, irreducible, parameters=5 + irreducible)
    unique, seen = np.asarray(U, dtype=float), np.exp(surface.log_d)
    if unique.shape != seen.shape or not (np.isfinite(unique).all() and (unique > 0).all()):
        raise ValueError("U: must be positive and finite, one value (P,) per run; give the number of unique samples")
    if not (seen > unique * (1 + 1e-9)).any():
        raise ValueError("D: no run sees more samples than it has unique ones, R* needs repeats; use fit_law")
    rows = surface.starts(starts)
    first = np.concatenate([np.c_[rows, np.full(len(rows), np.log(r))] for r in STARTS_OF_HALF_LIFE])
    bounds, model = np.c_[surface.bounds, np.log(HALF_LIVES)], _model(surface, unique, seen)
    theta, objective = minimise(model, surface.log_loss[None], np.ones((1, len(seen))), first, bounds, delta)
    best = theta[objective.argmin()]
    law = RepeatedLaw(law=surface.law(best[:-1]), R_star=float(np.exp(best[-1])))
    return RepeatedFit(law, best, surface, model, bounds)


def _model(surface: Surface, unique: np.ndarray, seen: np.ndarray) -> Model:
    """The surface at effective data, with `log R*` as the last parameter."""
    inner, repeats = surface.model(), np.maximum(seen / unique - 1, 0.0)
    first = np.minimum(unique, seen)

    def predict(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        star = np.exp(theta[:, -1:])
        spent = np.exp(-repeats / star)
        worth = first * (1 + star * (1 - spent))
        b = np.exp(theta[:, 3:4])
        prediction, jacobian = inner(theta[:, :-1], np.log(worth / seen))
        # ∂D'/∂log R* = U (R* (1 - e) - R e),  e = exp(-R / R*)
        slope = first * (star * (1 - spent) - repeats * spent) / worth
        return prediction, np.concatenate([jacobian, (-b * jacobian[:, :, 2] * slope)[:, :, None]], axis=2)

    return predict
