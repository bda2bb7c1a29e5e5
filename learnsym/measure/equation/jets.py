"""Jets: points at which a solution and its derivatives are known, and differences that give them on a grid.

Legend of axes: `P` points, `R` runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import torch
from jaxtyping import Float
from torch import Tensor

STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
"""Central differences of order four: offsets and weights."""
REACH = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Jets:
    """Values of independent variables, of dependent ones and of their derivatives at `P` points.

    Names are those of subscripts: `u_tx` is `∂²u / ∂t ∂x`, letters in the order of `independent`. What has no
    subscript and is not independent is a dependent variable.

    Args:
        values: by name, one number a point, float64.
        independent: names of one letter each.

    Raises:
        ValueError: for names that are none of these, lengths that differ, or numbers that are not finite.

    Example:
        >>> t, x = torch.rand(2, 50, dtype=torch.float64)
        >>> u = torch.exp(-t) * torch.sin(x)
        >>> ls.measure.Jets(values={"t": t, "x": x, "u": u, "u_t": -u, "u_xx": -u}).dependent
        ('u',)
    """

    values: Mapping[str, Float[Tensor, "P"]]
    independent: tuple[str, ...] = ("t", "x")

    def __post_init__(self) -> None:
        wrong = [name for name in self.independent if len(name) != 1 or name not in self.values]
        if wrong or not self.independent or len(set(self.independent)) < len(self.independent):
            raise ValueError(
                f"independent: got {self.independent}, must be different single letters with values; derivatives are "
                "named by them, such as u_tx"
            )
        for name in self.values:
            self._check_name(name)
        counts = {tuple(value.shape) for value in self.values.values()}
        if len(counts) > 1 or any(len(shape) != 1 for shape in counts):
            raise ValueError(f"values: got shapes {sorted(counts)}, must be one number for each point; flatten grids")
        bad = [name for name, value in self.values.items() if not value.isfinite().all()]
        if bad:
            raise ValueError(f"values: {bad[0]} is not finite everywhere; leave these points out")
        object.__setattr__(self, "values", {name: value.double().cpu() for name, value in self.values.items()})

    def _check_name(self, name: str) -> None:
        base, _, letters = name.partition("_")
        order = [self.independent.index(letter) for letter in letters if letter in self.independent]
        if base not in self.values or len(order) < len(letters) or order != sorted(order) or name.endswith("_"):
            raise ValueError(
                f"values: got the name {name!r}, must be a variable, or one with a subscript of {self.independent} in "
                "this order, such as u_tx; give the variable itself, too"
            )

    @property
    def dependent(self) -> tuple[str, ...]:
        """Names of the dependent variables."""
        return tuple(name for name in self.values if "_" not in name and name not in self.independent)

    @property
    def variables(self) -> tuple[str, ...]:
        """Independent and dependent variables."""
        return self.independent + self.dependent

    def __len__(self) -> int:
        return len(self.values[self.independent[0]])

    def at(self, index: Tensor) -> Jets:
        """The jets at some of the points."""
        return Jets(values={name: value[index] for name, value in self.values.items()}, independent=self.independent)


def derivative(name: str, letter: str, independent: tuple[str, ...]) -> str:
    """The name of a derivative of what has a name."""
    base, _, letters = name.partition("_")
    return f"{base}_{''.join(sorted(letters + letter, key=independent.index))}"


def jets_of_grid(
    fields: Mapping[str, Float[Tensor, "R ..."]],
    axes: Mapping[str, Float[Tensor, "n"]],
    order: int = 2,
    points: int = 2000,
    seed: int = 0,
) -> Jets:
    """Jets at random inner points of solutions on an even grid, by central differences of order four.

    Errors are of the fourth power of the spacing for smooth solutions. Noise grows by about the inverse spacing with
    each derivative: smooth noisy fields first.

    Args:
        fields: by name, `(R, n_1, ..., n_p)` of `R` solutions.
        axes: the even grid of each independent variable, in the order of the axes of the fields.
        order: of the highest derivatives.
        points: how many points to draw; all where there are fewer.
        seed: of the draw.

    Raises:
        ValueError: for grids that are uneven, too small for the order, or do not fit the fields.

    Example:
        >>> t, x = torch.linspace(0, 1, 30), torch.linspace(0, 6, 40)
        >>> u = torch.exp(-t)[:, None] * torch.sin(x)
        >>> jets = ls.measure.jets_of_grid({"u": u[None]}, {"t": t, "x": x})
        >>> float((jets.values["u_t"] - jets.values["u_xx"]).abs().max()) < 1e-3
        True
    """
    steps = {letter: _step(letter, axis, order) for letter, axis in axes.items()}
    shape = tuple(len(axis) for axis in axes.values())
    for name, field in fields.items():
        if field.shape[1:] != shape:
            raise ValueError(f"fields: {name} has shape {tuple(field.shape)}, must be (runs, {str(shape)[1:]} of axes")
    if order < 1 or points < 1:
        raise ValueError(f"order, points: got {order} and {points}, must be >= 1; 2 and 2000 are usual")
    independent, values = tuple(axes), {}
    grids = torch.meshgrid(*(axis.double() for axis in axes.values()), indexing="ij")
    count = len(next(iter(fields.values())))
    values.update({letter: grid.expand(count, *shape) for letter, grid in zip(axes, grids, strict=True)})
    for name, field in fields.items():
        values[name] = field.double()
        for total in range(1, order + 1):
            for letters in combinations_with_replacement(independent, total):
                before = f"{name}_{''.join(letters[:-1])}".rstrip("_")
                letter = letters[-1]
                values[derivative(before, letter, independent)] = _difference(
                    values[before], 1 + independent.index(letter), steps[letter]
                )
    edge = REACH * order
    inner = (slice(None), *(slice(edge, -edge) for _ in axes))
    flat = {name: value[inner].flatten() for name, value in values.items()}
    chosen = torch.randperm(len(next(iter(flat.values()))), generator=torch.Generator().manual_seed(seed))[:points]
    return Jets(values={name: value[chosen] for name, value in flat.items()}, independent=independent)


def _step(letter: str, axis: Float[Tensor, "n"], order: int) -> float:
    least = 2 * REACH * order + 1
    if axis.ndim != 1 or len(axis) < least:
        raise ValueError(f"axes: {letter} has shape {tuple(axis.shape)}, must be one row of at least {least} points")
    gaps = axis.double().diff()
    if not gaps.mean() > 0 or (gaps - gaps.mean()).abs().max() > 1e-3 * gaps.mean():
        raise ValueError(f"axes: {letter} is not an even, increasing grid; interpolate onto one")
    return float(gaps.mean())


def _difference(field: Tensor, axis: int, step: float) -> Tensor:
    """Wrong within the reach of the border, which is cut away later."""
    return sum((weight * field.roll(-offset, axis) for offset, weight in STENCIL), torch.zeros_like(field)) / step
