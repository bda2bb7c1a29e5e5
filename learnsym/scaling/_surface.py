"""The law as a surface in log space, as the solver wants it: predictions, Jacobian, bounds and starts.

    log L = logsumexp(log E, log A' - a n, log B' - b d),    n = log N - mean log N,    d = log D - mean log D

with parameters `(log A', log a, log B', log b, log E)`; without irreducible loss the last is absent.
Logarithms keep exponents positive; centred sizes keep factors and exponents nearly independent.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from learnsym.scaling.law import Law

EXPONENTS = (1e-3, 10.0)
NO_LOSS = 30.0
"""`log E` ends this far below the least loss, which is as good as no `E`."""


@dataclass(frozen=True)
class Surface:
    """Points of a grid, checked, as logarithms."""

    log_n: Float[np.ndarray, " P"]
    log_d: Float[np.ndarray, " P"]
    log_loss: Float[np.ndarray, " P"]
    irreducible: bool

    @classmethod
    def of(cls, N: np.ndarray, D: np.ndarray, loss: np.ndarray, irreducible: bool, parameters: int = 0) -> Surface:
        """The points, checked.

        Raises:
            ValueError: as `fit_law` says.
        """
        parts = {name: np.asarray(value, dtype=float) for name, value in (("N", N), ("D", D), ("loss", loss))}
        for name, value in parts.items():
            if value.ndim != 1 or len(value) != len(parts["loss"]):
                raise ValueError(f"{name}: got shape {value.shape}, must be (P,) as the loss; give one value per run")
            if not (np.isfinite(value).all() and (value > 0).all()):
                bad = value[~(np.isfinite(value) & (value > 0))][0]
                raise ValueError(f"{name}: got {bad}, must be positive and finite; leave out runs that diverged")
        needed = parameters or 4 + irreducible
        if len(parts["loss"]) < needed:
            raise ValueError(f"loss: got {len(parts['loss'])} points, must be at least {needed}; train more runs")
        for name in ("N", "D"):
            if len(np.unique(parts[name])) < 2:
                raise ValueError(f"{name}: got {parts[name][0]} alone, must vary for an exponent; add runs at others")
        return cls(np.log(parts["N"]), np.log(parts["D"]), np.log(parts["loss"]), irreducible)

    @property
    def centres(self) -> tuple[float, float]:
        return float(self.log_n.mean()), float(self.log_d.mean())

    @property
    def bounds(self) -> Float[np.ndarray, "2 K"]:
        low, high = float(self.log_loss.min()) - NO_LOSS, float(self.log_loss.max())
        of_term = [low, high + 1.0], list(np.log(EXPONENTS))
        rows = [*of_term, *of_term, [low, high]]
        return np.array(rows[: 4 + self.irreducible]).T

    def model(self) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
        """Predictions of log loss and their Jacobian for rows of parameters, at `log D` plus a shift (R, P) if any."""
        n, d = (x - centre for x, centre in zip((self.log_n, self.log_d), self.centres, strict=True))

        def predict(theta: np.ndarray, shift: float | np.ndarray = 0.0) -> tuple[np.ndarray, np.ndarray]:
            a, b = np.exp(theta[:, 1:2]), np.exp(theta[:, 3:4])
            terms = [theta[:, :1] - a * n, theta[:, 2:3] - b * (d + shift)]
            if self.irreducible:
                terms.append(np.broadcast_to(theta[:, 4:5], terms[0].shape))
            stacked = np.stack(terms)
            total = np.logaddexp.reduce(stacked)
            share = np.exp(stacked - total)
            columns = [share[0], -share[0] * a * n, share[1], -share[1] * b * (d + shift), *share[2:]]
            return total, np.stack(columns, axis=-1)

        return predict

    def starts(self, exponents: tuple[float, ...]) -> Float[np.ndarray, "S K"]:
        """Every pair of exponents with three shares of irreducible loss; the rest is halved between the terms."""
        least, middle = np.exp(self.log_loss.min()), np.exp(np.median(self.log_loss))
        rows = []
        for a, b, share in itertools.product(exponents, exponents, (0.05, 0.5, 0.95) if self.irreducible else (0.0,)):
            half = np.log((middle - share * least) / 2)
            rows.append([half, np.log(a), half, np.log(b), *([np.log(share * least)] if self.irreducible else [])])
        return np.array(rows)

    def coefficients(self, theta: Float[np.ndarray, "R K"]) -> Float[np.ndarray, "R 5"]:
        """`E, A, a, B, b` of rows of parameters."""
        a, b = np.exp(theta[:, 1]), np.exp(theta[:, 3])
        n, d = self.centres
        E = np.exp(theta[:, 4]) if self.irreducible else np.zeros(len(theta))
        return np.stack([E, np.exp(theta[:, 0] + a * n), a, np.exp(theta[:, 2] + b * d), b], axis=1)

    def law(self, theta: Float[np.ndarray, " K"]) -> Law:
        return Law(*self.coefficients(theta[None])[0].tolist())
