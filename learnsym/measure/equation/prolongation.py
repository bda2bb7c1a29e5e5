"""The prolongation formula: how a motion of points moves the derivatives of all functions through them.

Polynomials of jets are dictionaries from factors, in order, to coefficients: `{("u", "u_x"): 2.0}` is `2 u u_x`.

Legend of axes: `P` points, `K` candidates, `V` variables, `M` monomials of these, `C` coordinates of jets.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from learnsym.measure.certified.polynomials import powers
from learnsym.measure.equation.jets import derivative

Polynomial = dict[tuple[str, ...], float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prolongation:
    """All generators `v = Σ_c θ_ca m_a(x, u) ∂_c` with monomials `m_a` up to a degree, prolonged to coordinates."""

    variables: tuple[str, ...]
    """Independent ones, then dependent ones."""
    exponents: Int[Tensor, "M V"]
    factors: tuple[tuple[str, ...], ...]
    """Monomials of jets that occur."""
    coefficients: Float[Tensor, "K C N"]
    """Of each of these, in each coordinate of each candidate; candidates are `∂_c` times all monomials, in order."""

    @classmethod
    def of(
        cls, independent: tuple[str, ...], dependent: tuple[str, ...], degree: int, coordinates: Sequence[str]
    ) -> Prolongation:
        """Prolong all candidates."""
        variables = independent + dependent
        exponents = powers(len(variables), degree)
        monomials = [
            tuple(sorted(name for name, power in zip(variables, row, strict=True) for _ in range(power)))
            for row in exponents.tolist()
        ]
        table = [
            prolonged({variable: {monomial: 1.0}}, independent, coordinates)
            for variable in variables
            for monomial in monomials
        ]
        factors = tuple(sorted({factor for row in table for polynomial in row for factor in polynomial}))
        place = {factor: index for index, factor in enumerate(factors)}
        coefficients = torch.zeros(len(table), len(coordinates), len(factors), dtype=torch.float64)
        for k, row in enumerate(table):
            for c, polynomial in enumerate(row):
                for factor, value in polynomial.items():
                    coefficients[k, c, place[factor]] = value
        return cls(variables=variables, exponents=exponents, factors=factors, coefficients=coefficients)

    @property
    def needed(self) -> list[str]:
        """Jets of which the prolongation is made."""
        return sorted({name for factor in self.factors for name in factor})

    def motion(self, values: Mapping[str, Float[Tensor, "P"]]) -> Float[Tensor, "P C K"]:
        """How each candidate moves each coordinate at each point."""
        ones = torch.ones_like(next(iter(values.values())))
        columns = torch.stack([math.prod((values[name] for name in factor), start=ones) for factor in self.factors], -1)
        return torch.einsum("pn,kcn->pck", columns, self.coefficients)


def prolonged(
    field: Mapping[str, Polynomial], independent: tuple[str, ...], coordinates: Sequence[str]
) -> list[Polynomial]:
    """Components of the prolongation of `v = ξ^i ∂_i + φ ∂_u`, one for each coordinate.

        φ^(J i) = D_i φ^J - Σ_j (D_i ξ^j) u_(J j)

    Reference: Olver, "Applications of Lie groups to differential equations" (1993), section 2.3.
    """

    def component(name: str) -> Polynomial:
        base, _, letters = name.partition("_")
        if not letters:
            return field.get(name, {})
        last = letters[-1]
        before = f"{base}_{letters[:-1]}".rstrip("_")
        # D_i φ^J
        result = defaultdict(float, total_derivative(component(before), last, independent))
        for other in independent:
            # (D_i ξ^j) u_(J j)
            for factor, value in total_derivative(field.get(other, {}), last, independent).items():
                result[tuple(sorted((*factor, derivative(before, other, independent))))] -= value
        return {factor: value for factor, value in result.items() if value}

    return [component(name) for name in coordinates]


def total_derivative(polynomial: Polynomial, letter: str, independent: tuple[str, ...]) -> Polynomial:
    """`D_i = ∂_i + Σ_J u_(J i) ∂_(u_J)`."""
    result: defaultdict[tuple[str, ...], float] = defaultdict(float)
    for factor, value in polynomial.items():
        for place, name in enumerate(factor):
            rest = factor[:place] + factor[place + 1 :]
            if name == letter:
                result[rest] += value
            elif name not in independent:
                result[tuple(sorted((*rest, derivative(name, letter, independent))))] += value
    return dict(result)
