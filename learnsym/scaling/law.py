"""The law of loss against parameters and data, and the split of compute that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Number = int | float | np.ndarray


@dataclass(frozen=True)
class Law:
    """A parametric law of the loss of networks with `N` parameters trained on `D` samples (or tokens).

        L(N, D) = E + A N^-a + B D^-b

    Reference: Hoffmann et al., "Training compute-optimal large language models" (2022), arXiv 2203.15556, section 3.3.

    Attributes:
        E: loss that neither parameters nor data remove.
        A: factor of the loss for lack of parameters.
        a: its exponent.
        B: factor of the loss for lack of data.
        b: its exponent.

    Raises:
        ValueError: for a negative `E`, or another coefficient that is not positive.

    Example:
        >>> law = ls.scaling.Law(E=1.69, A=406.4, a=0.34, B=410.7, b=0.28)
        >>> round(law.loss(70e9, 1.4e12), 3), round(law.a_opt, 3), round(law.b_opt, 3)
        (1.937, 0.452, 0.548)
    """

    E: float
    A: float
    a: float
    B: float
    b: float

    def __post_init__(self) -> None:
        if not self.E >= 0:
            raise ValueError(f"E: got {self.E}, must be 0 or more; 0 is a law without irreducible loss")
        for name in ("A", "a", "B", "b"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: got {getattr(self, name)}, must be positive, so that loss falls with size")

    def loss(self, N: Number, D: Number) -> Number:
        """The loss at `N` parameters and `D` samples; arrays broadcast."""
        return self.E + self.A * N**-self.a + self.B * D**-self.b

    @property
    def a_opt(self) -> float:
        """Exponent of the best number of parameters in compute, `b / (a + b)`."""
        return self.b / (self.a + self.b)

    @property
    def b_opt(self) -> float:
        """Exponent of the best number of samples in compute, `a / (a + b)`."""
        return self.a / (self.a + self.b)

    def allocation(self, cost_exponent: float = 1.0) -> tuple[float, float]:
        """Exponents of the best number of parameters and of samples in the compute `C = k N^γ D`.

            N ~ C^(b / (a + γ b)),    D ~ C^(a / (a + γ b))

        Args:
            cost_exponent: `γ`; 1 gives `(a_opt, b_opt)`.

        Example:
            >>> [round(exponent, 3) for exponent in ls.scaling.Law(1.69, 406.4, 0.34, 410.7, 0.28).allocation(1.5)]
            [0.368, 0.447]
        """
        weighted = self.a + cost_exponent * self.b
        return self.b / weighted, self.a / weighted

    def optimal(
        self, C: Number, flops_per_parameter_token: float = 6.0, cost_exponent: float = 1.0
    ) -> tuple[Number, Number]:
        """Parameters and samples of least loss at the compute `C = k N^γ D`.

            N^γ = G (C / k)^(γ b / (a + γ b)),    D = (C / k)^(a / (a + γ b)) / G
            G = (a A / (γ b B))^(γ / (a + γ b))

        Args:
            C: floating-point operations of a whole training; arrays are taken point by point.
            flops_per_parameter_token: `k`, 6 for dense networks; more where weights are shared.
            cost_exponent: `γ`, 1 where the cost of a sample is proportional to the number of parameters.

        Returns:
            `(N, D)`, not rounded.

        Raises:
            ValueError: for a factor or an exponent that is not positive.

        Example:
            >>> law = ls.scaling.Law(E=1.69, A=406.4, a=0.34, B=410.7, b=0.28)
            >>> N, D = law.optimal(6e20)
            >>> round(6 * N * D / 6e20, 6)
            1.0
        """
        if not flops_per_parameter_token > 0:
            raise ValueError(
                f"flops_per_parameter_token: got {flops_per_parameter_token}, must be positive; 6 is usual"
            )
        if not cost_exponent > 0:
            raise ValueError(f"cost_exponent: got {cost_exponent}, must be positive; 1 is usual")
        pairs = np.asarray(C, dtype=float) / flops_per_parameter_token
        a = self.a / cost_exponent  # the law in M = N^γ, whose product with D is the compute
        ratio = (a * self.A / (self.b * self.B)) ** (1 / (a + self.b))
        N = (ratio * pairs ** (self.b / (a + self.b))) ** (1 / cost_exponent)
        D = pairs ** (a / (a + self.b)) / ratio
        return (N, D) if isinstance(C, np.ndarray) else (float(N), float(D))

    def frontier(self, C: Number, flops_per_parameter_token: float = 6.0, cost_exponent: float = 1.0) -> Number:
        """The least loss at the compute `C`."""
        return self.loss(*self.optimal(C, flops_per_parameter_token, cost_exponent))
