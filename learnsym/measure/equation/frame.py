"""An equation solved for its leading derivatives, in coordinates of like size.

Legend of axes: `P` points, `K` candidates, `n` coordinates that the right-hand side may depend on, `m` equations, `C =
n + m`, `V` variables, `M` monomials of these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.equation.jets import Jets
from learnsym.measure.equation.prolongation import Prolongation
from learnsym.statistics import check_level

LEAST = 20
"""Fewest points."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """`F = u_lead - f(z) = 0` and all candidates, with coordinates over their standard deviations.

    Variables are first divided by their own standard deviations, so that candidates do not depend on units.
    """

    prolongation: Prolongation
    jets: Jets
    """In these units."""
    leading: tuple[str, ...]
    inputs: tuple[str, ...]
    deviation: Float[Tensor, "C"]
    """Standard deviations of inputs and leading derivatives, in these units."""
    own: Float[Tensor, "C"]
    """The same in the units of the data."""
    to_data: Float[Tensor, "K"]
    """What turns coefficients of candidates into those in the units of the data."""
    to_moves: Float[Tensor, "K"]
    """One over the root mean square motion of each candidate; 0 for one that moves nothing."""

    @classmethod
    def of(cls, jets: Jets, leading: Sequence[str], inputs: Sequence[str], degree: int) -> Frame:
        """Check what is given, and bring it into these units."""
        check_equation(jets, leading, inputs, degree)
        units = {name: _spread(name, jets.values[name]) for name in jets.variables}
        scale = {
            name: units[base] / math.prod(units[letter] for letter in letters)
            for name in jets.values
            for base, _, letters in [name.partition("_")]
        }
        scaled = Jets(
            values={name: value / scale[name] for name, value in jets.values.items()}, independent=jets.independent
        )
        coordinates = (*inputs, *leading)
        prolongation = Prolongation.of(jets.independent, jets.dependent, degree, coordinates)
        missing = [name for name in prolongation.needed if name not in jets.values]
        if missing:
            raise ValueError(
                f"jets: the prolongation to {', '.join(coordinates)} is made of {', '.join(missing)} as well; give "
                "their values, or a lower degree"
            )
        deviation = torch.tensor([_spread(name, scaled.values[name]) for name in coordinates], dtype=torch.float64)
        unit = torch.tensor([units[name] for name in jets.variables], dtype=torch.float64)
        # ∂_(x/s) = s ∂_x and m(x/s) = m(x) / Π s^a
        to_data = unit[:, None] / (unit**prolongation.exponents).prod(1)
        frame = cls(
            prolongation=prolongation,
            jets=scaled,
            leading=tuple(leading),
            inputs=tuple(inputs),
            deviation=deviation,
            own=deviation * torch.tensor([scale[name] for name in coordinates], dtype=torch.float64),
            to_data=to_data.flatten(),
            to_moves=torch.ones(to_data.numel(), dtype=torch.float64),
        )
        moves = frame.motion(frame.y).square().sum(1).mean(0).sqrt()
        return replace(frame, to_moves=torch.where(moves > 0, 1 / moves, 0.0))

    def __len__(self) -> int:
        return len(self.jets)

    def at(self, index: Tensor) -> Frame:
        """The same frame at some of the points."""
        return replace(self, jets=self.jets.at(index))

    @property
    def z(self) -> Float[Tensor, "P n"]:
        """Inputs of the right-hand side over their standard deviations."""
        return torch.stack([self.jets.values[name] for name in self.inputs], 1) / self.deviation[: len(self.inputs)]

    @property
    def y(self) -> Float[Tensor, "P m"]:
        """Leading derivatives over their standard deviations."""
        return torch.stack([self.jets.values[name] for name in self.leading], 1) / self.deviation[len(self.inputs) :]

    def motion(self, y: Float[Tensor, "P m"]) -> Float[Tensor, "P C K"]:
        """How candidates move coordinates where the leading derivatives are `y`."""
        solved = {
            name: value * deviation
            for name, value, deviation in zip(self.leading, y.mT, self.deviation[len(self.inputs) :], strict=True)
        }
        moved = self.prolongation.motion({**self.jets.values, **solved})
        return moved / self.deviation[:, None] * self.to_moves

    def departure(
        self, f: Float[Tensor, "P m"], slopes: Float[Tensor, "P m n"], motion: Float[Tensor, "P C K"] | None = None
    ) -> Float[Tensor, "P m K"]:
        """`pr v(F)` on `F = 0`: `φ^lead - Σ_c ∂_c f φ^c`, with `f` in place of the leading derivatives."""
        moved = self.motion(f) if motion is None else motion
        n = len(self.inputs)
        return moved[:, n:] - slopes @ moved[:, :n]

    def coefficients(self, theta: Float[Tensor, "R K"]) -> Float[Tensor, "R V M"]:
        """Of combinations of candidates, in the units of the data."""
        return (theta * self.to_moves * self.to_data).unflatten(1, (len(self.prolongation.variables), -1))

    def theta(self, coefficients: Float[Tensor, "R V M"]) -> Float[Tensor, "R K"]:
        """Combinations of candidates of given coefficients."""
        flat = coefficients.double().flatten(1) / self.to_data
        return torch.where(self.to_moves > 0, flat / self.to_moves, 0.0)


def check_equation(jets: Jets, leading: Sequence[str], inputs: Sequence[str], degree: int) -> None:
    """Raise ValueError where these are no equation in these jets."""
    if degree < 0:
        raise ValueError(f"generators: got degree {degree}, must be >= 0; 2 is usual, 0 are translations alone")
    if len(jets) < LEAST:
        raise ValueError(f"jets: got {len(jets)} points, must be >= {LEAST}; some hundreds are usual")
    for name, given in (("leading", leading), ("inputs", inputs)):
        if isinstance(given, str) or not given or len(set(given)) < len(given):
            raise ValueError(f"{name}: got {given!r}, must be a list of different names, such as ['u_t']")
        unknown = [each for each in given if each not in jets.values]
        if unknown:
            raise ValueError(f"{name}: got {unknown[0]!r}, must be among {', '.join(jets.values)}; add it to the jets")
    both = [name for name in leading if name in inputs or "_" not in name]
    if both:
        raise ValueError(
            f"leading: got {both[0]!r}, must be derivatives that the right-hand side does not depend on; solve for one"
        )


def check_levels(delta: float, level: float) -> None:
    """Raise ValueError for a tolerance or a probability that is none."""
    check_level(level)
    if not 0 < delta < 1:
        raise ValueError(f"delta: got {delta}, must lie between 0 and 1; 0.05 is usual")


def _spread(name: str, value: Float[Tensor, "P"]) -> float:
    spread = float(value.std())
    if not spread > 1e-12 * float(value.abs().max()):
        raise ValueError(f"jets: {name} is the same at all points, so that nothing can be told of it; leave it out")
    return spread
