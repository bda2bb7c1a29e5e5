"""How much of a response is scalar, vector or of a higher rank: its power in each irreducible representation.

Legend of axes: `B` examples, `K` elements of a rule on the group, `D` outputs, `d` size of an irrep.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.distributions import Quadrature
from learnsym.measure._inputs import OutputLike, asked
from learnsym.measure._probe import Model
from learnsym.measure._reader import Reader, reading
from learnsym.measure.moves import check_moved
from learnsym.parts import Whole, examples, repeated
from learnsym.representations import Irrep, irreps
from learnsym.statistics import Estimate, ratio_of_means
from learnsym.symmetry import Symmetry, SymmetryLike

BEYOND = 2
"""Frequencies above the band limit that a rule still tells from those below, unless told otherwise."""
RANKS = ("scalar", "vector", "rank 2", "rank 3", "rank 4")


@dataclass(frozen=True, kw_only=True)
class IrrepContent:
    """Shares of the power of a response, one for each irreducible representation; with `rest` they sum to 1."""

    shares: dict[Irrep, Estimate]
    rest: Estimate
    """Frequencies above the band limit."""
    power: Estimate
    """`mean_g |f(g·x)|²` of each example, whose parts the shares are."""

    def of_rank(self, frequency: int) -> Estimate:
        """The share of a frequency `m` or degree `l`, both parities together: 0 is scalar, 1 vector, 2 rank 2."""
        found = [share.linear for irrep, share in self.shares.items() if irrep.frequency == frequency]
        if not found:
            known = sorted({irrep.frequency for irrep in self.shares})
            raise ValueError(f"frequency: got {frequency}, must be one of {known}; measure with a higher band_limit")
        return Estimate.of(torch.stack(found).sum(0))

    def __str__(self) -> str:
        shares = [f"{_named(irrep)} {share}" for irrep, share in self.shares.items()]
        return "; ".join([*shares, f"above {self.rest}"])


def irrep_content(
    model: Model,
    x: Whole,
    symmetry: SymmetryLike,
    band_limit: int | None = None,
    *,
    degree: int | None = None,
    output: OutputLike = None,
    batch_size: int = 256,
) -> IrrepContent:
    """The power of `g -> f(g·x)` in each irreducible representation `ψ` of a compact group (Peter and Weyl).

        F_ψ = ∫ f(g·x) ψ(g) dg,    P_ψ = d_ψ Σ |F_ψ|²,    ∫ |f(g·x)|² dg = Σ_ψ P_ψ

    summed over outputs and over the matrix entries of `ψ` that are different functions. An invariant response is all
    scalar, a vector that turns with the input all of rank 1, and a stress or quadrupole of rank 2. Of a network without
    any built-in symmetry it says what it has learned; of features, which types a layer needs. How outputs are meant to
    move does not enter. A constant, such as a bias, counts as scalar.

    Integrals are sums over a rule that is exact up to `degree` (`Quadrature.haar`), or over all of a finite group.
    Shares are ratios of means over examples, with standard errors of the delta method.

    Reference: Peter, Weyl (1927), for the expansion; for networks our own.

    Args:
        model: any callable of a batch: a network, or the part of one whose features are asked about.
        x: examples: a tensor, a NumPy array, or a structure of them of which the symmetry says what moves.
        symmetry: of C_N, D_N, SO(2), O(2), SO(3) or O(3), or its name; its action on outputs is not used.
        band_limit: highest frequency that has a share of its own; all of a finite group, 2 of others, when None.
        degree: up to which the rule is exact, at least twice the band limit; with four more when None. What lies above
            `degree - band_limit` may be counted lower than it is.
        output: key of the part of what the model returns that is measured, or a function that takes it out.
        batch_size: examples per call of the model; does not change the result.

    Raises:
        ValueError: when `x` does not fit the symmetry, for a group whose representations are not known, a degree below
            twice the band limit, or outputs that are all 0.

    Example:
        >>> dipole = lambda x: x.mean(1)
        >>> found = ls.measure.irrep_content(dipole, torch.randn(20, 5, 3), "so3")
        >>> [round(found.of_rank(l).mean, 6) for l in (0, 1, 2)]
        [0.0, 1.0, 0.0]
    """
    x, symmetry, output = asked(model, x, symmetry, output)
    check_moved(x, symmetry)
    group = symmetry.group
    limit = 2 if band_limit is None and group.order is None else band_limit
    chosen = irreps(group, limit)
    rule = Quadrature.haar(group, _degree(chosen[-1].frequency, degree))
    with reading(model, x, output, batch_size) as read:
        response = torch.cat([_response(read, symmetry, g, x) for g in _chunks(rule, symmetry.moving(x), batch_size)])
    weights = rule.weights.to(response)
    total = torch.einsum("k,kbd->b", weights, response.square())
    if not bool(total.any()):
        raise ValueError("model: its outputs are 0 for all examples and elements, so that there are no shares of them")
    powers = {irrep: _power(response, irrep(rule.elements).to(response), irrep, weights) for irrep in chosen}
    whole = Estimate.of(total)
    rest = (total - torch.stack([*powers.values()]).sum(0)).clamp(min=0)
    shares = {irrep: ratio_of_means(Estimate.of(power), whole) for irrep, power in powers.items()}
    return IrrepContent(shares=shares, rest=ratio_of_means(Estimate.of(rest), whole), power=whole)


def _chunks(rule: Quadrature, x: Tensor, batch_size: int) -> tuple[Float[Tensor, "K n n"], ...]:
    """The elements of a rule in parts by which all examples are moved in one batch, or one by one."""
    return rule.elements.to(x).split(max(1, batch_size // len(x)))


def _response(read: Reader, symmetry: Symmetry, g: Float[Tensor, "K n n"], x: Whole) -> Float[Tensor, "K B D"]:
    """`f(g·x)` of all elements and examples."""
    count = examples(x)
    moved = read.moved(symmetry.on_input, g.repeat_interleave(count, 0), repeated(x, len(g)))
    return moved.double().flatten(1).unflatten(0, (len(g), count))


def _power(
    response: Float[Tensor, "K B D"], matrices: Float[Tensor, "K d d"], irrep: Irrep, weights: Float[Tensor, "K"]
) -> Float[Tensor, "B"]:
    """`P_ψ` of each example."""
    # ψ -> its entries that are linearly independent functions
    functions = matrices[:, :, : irrep.columns]
    # f -> F_ψ
    coefficients = torch.einsum("k,kbd,kij->bdij", weights, response, functions)
    return irrep.size * coefficients.square().sum((1, 2, 3))


def _degree(band_limit: int, degree: int | None) -> int:
    """The degree of a rule, or ValueError."""
    least = max(1, 2 * band_limit)
    if degree is not None and degree < least:
        raise ValueError(
            f"degree: got {degree} for the band limit {band_limit}, must be at least {least}; leave it out"
        )
    return 2 * (band_limit + BEYOND) if degree is None else degree


def _named(irrep: Irrep) -> str:
    rank = RANKS[irrep.frequency] if irrep.frequency < len(RANKS) else f"rank {irrep.frequency}"
    return f"{rank}, odd" if irrep.parity else rank
