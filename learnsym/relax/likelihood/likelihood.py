"""A learned density over a group: how much each element still belongs to the symmetry of a layer.

Legend of axes: `K` elements of a quadrature, `D` coefficients, `H` given elements, `d` size of an irrep.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.distributions import Quadrature
from learnsym.equivariant import Constant
from learnsym.groups import Group
from learnsym.representations import Irrep, harmonics, irreps

LIE_BAND_LIMIT = 2
CIRCLE_DEGREE = 31


class Point(nn.Module):
    """Coefficients that are simply learned; zero at the start."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.zeros(count))

    def forward(self) -> Float[Tensor, "D"]:
        """The coefficients."""
        return self.values

    def assign(self, values: Float[Tensor, "D"]) -> None:
        """Take these coefficients."""
        with torch.no_grad():
            self.values.copy_(values)

    def draws(self, count: int) -> Float[Tensor, "S D"] | None:
        """None: a point has no spread."""
        return None


class Likelihood(nn.Module):
    """A density `λ` over a compact group with a band-limited logarithm: `log λ(g) = Σ_k c_k h_k(g) - log Z`.

    `h_k` are the harmonics of the group without the constant one. `λ` is normalised over a quadrature of the Haar
    measure: over all elements of a finite group, where it is exact. It starts uniform, the whole group. Nothing is
    cached: every loss gives the coefficients a gradient.

    Reference: Veefkind, Cesa, "A probabilistic approach to learning the degree of equivariance in steerable CNNs"
    (2024), arXiv 2406.03946.

    Args:
        group: C_N, D_N, SO(2), O(2), SO(3) or O(3).
        band_limit: highest frequency of `log λ`; all of a finite group, 2 for a Lie group when None.
        band_limit_out: highest frequency of the matrices `λ̂(ψ)` that layers take; twice `band_limit`, or all of a
            finite group, when None.
        degree: of the quadrature over a Lie group; a safe one when None.
        coefficients: module that returns `c` `(D,)`; learned numbers when None, see `bayesian_likelihood`.

    Raises:
        ValueError: for a band limit that is negative, above that of a finite group, or above the quadrature.

    Example:
        >>> likelihood = ls.relax.Likelihood(ls.groups.Cyclic(4))
        >>> likelihood.density()
        tensor([1., 1., 1., 1.], grad_fn=<ExpBackward0>)
    """

    over_elements = True

    def __init__(
        self,
        group: Group,
        band_limit: int | None = None,
        *,
        band_limit_out: int | None = None,
        degree: int | None = None,
        coefficients: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.group = group
        self.band_limit, self.band_limit_out = _band_limits(group, band_limit, band_limit_out)
        rule = Quadrature.haar(group, _degree(group, self.band_limit, self.band_limit_out, degree))
        self.irreps: tuple[Irrep, ...] = tuple(irreps(group, self.band_limit_out))
        self.elements, self.weights = Constant(rule.elements.double()), Constant(rule.weights.double())
        self.harmonics = Constant(self._harmonics(rule.elements.double()))
        self.at_identity = Constant(self._harmonics(torch.eye(group.n, dtype=torch.float64)[None]))
        matrices = [irrep(rule.elements.double()).flatten(1) for irrep in self.irreps]
        self.matrices = Constant(torch.cat(matrices, 1) * rule.weights.double()[:, None])
        self.coefficients = Point(self.harmonics().shape[1]) if coefficients is None else coefficients

    def _harmonics(self, g: Float[Tensor, "H n n"]) -> Float[Tensor, "H D"]:
        return harmonics(self.group, g, self.band_limit)[:, 1:]

    def log_density(self, coefficients: Float[Tensor, "*S D"] | None = None) -> Float[Tensor, "*S K"]:
        """`log λ` with respect to the Haar measure at the elements of the quadrature; 0 where it is uniform."""
        values = self._values(coefficients)
        return values - torch.logsumexp(values + self.weights().log(), -1, keepdim=True)

    def density(self) -> Float[Tensor, "K"]:
        """`λ` at the elements of the quadrature, of mean 1."""
        return self.log_density().exp()

    def masses(self) -> Float[Tensor, "K"]:
        """Probabilities of the elements of the quadrature."""
        return self.density() * self.weights()

    def fourier(self) -> list[Tensor]:
        """The matrices `λ̂(ψ) = ∫ λ(g) ψ(g) dg`, `(d, d)`, of `self.irreps`; the trivial one first."""
        # λ, ψ(g_k) w_k -> Σ_k λ(g_k) ψ(g_k) w_k
        flat = (self.density()[:, None] * self.matrices()).sum(0)
        parts = flat.split([irrep.size**2 for irrep in self.irreps])
        return [part.unflatten(0, (irrep.size,) * 2) for part, irrep in zip(parts, self.irreps, strict=True)]

    def kl_to_uniform(self, coefficients: Float[Tensor, "*S D"] | None = None) -> Float[Tensor, "*S"]:
        """`KL(λ | uniform) = ∫ λ log λ`."""
        log_density = self.log_density(coefficients)
        return (self.weights() * log_density.exp() * log_density).sum(-1)

    def kl_to(self, other: Likelihood, detached: bool = False) -> Float[Tensor, ""]:
        """`KL(λ | other)`; detached, the other one gets no gradient.

        Raises:
            ValueError: for a likelihood over another group or quadrature.
        """
        if other.group != self.group or other.elements().shape != self.elements().shape:
            raise ValueError(
                f"other: got a likelihood over {len(other.elements())} elements of {other.group}, must be over the "
                f"{len(self.elements())} of {self.group}; give both the same degree"
            )
        log_density, reference = self.log_density(), other.log_density()
        reference = reference.detach() if detached else reference
        return (self.weights() * log_density.exp() * (log_density - reference)).sum()

    def alignment(self) -> Float[Tensor, ""]:
        """`max_g log λ(g) - log λ(e)`, at least 0: the identity should be a mode, which fixes the origin of `λ`."""
        coefficients = self.coefficients()
        top, identity = self._values(coefficients).max(), (self.at_identity() * coefficients).sum()
        return (top - identity).clamp(min=0.0)

    def total_variation(self, reference: Float[Tensor, "K"]) -> Float[Tensor, ""]:
        """`1/2 Σ_k |λ_k - p_k|` to probabilities `p` at the elements of the quadrature."""
        return 0.5 * (self.masses() - reference.to(self.weights())).abs().sum()

    def shift_distance(self, h: Float[Tensor, "H n n"]) -> Float[Tensor, "H"]:
        """`∫ |λ(h⁻¹ g) - λ(g)| dg` of given elements `h`: 0 where `λ` does not tell `g` from `h g`."""
        values, inverse = self._values(None), self.group.inverse(h.double())
        log_total = torch.logsumexp(values + self.weights().log(), -1)
        # h, g -> h⁻¹ g
        moved = (inverse[:, None] @ self.elements().double()).flatten(0, 1)
        basis = self._harmonics(moved).to(values)
        # h⁻¹ g -> log λ(h⁻¹ g)
        shifted = (basis * self.coefficients()).sum(-1).unflatten(0, (len(h), -1)) - log_total
        # log λ(h⁻¹ g), log λ(g) -> ∫ |λ(h⁻¹ g) - λ(g)| dg
        return (self.weights() * (shifted.exp() - (values - log_total).exp()).abs()).sum(-1)

    def assign(self, log_density: Float[Tensor, "K"]) -> None:
        """Take the best band-limited fit to a logarithm of a density, up to its constant; exact for a finite group.

        Raises:
            ValueError: when a value is not finite; -30 stands for probability 0.
        """
        if not torch.isfinite(log_density).all():
            raise ValueError("log_density: got values that are not finite, must be finite; take -30 for probability 0")
        weighted = self.weights() * log_density.to(self.weights())
        self.coefficients.assign((weighted[:, None] * self.harmonics()).sum(0))  # type: ignore[operator]

    def _values(self, coefficients: Tensor | None) -> Tensor:
        chosen = self.coefficients() if coefficients is None else coefficients
        # A sum and not a product of matrices, which autocast would take in half precision.
        return (chosen[..., None, :] * self.harmonics()).sum(-1)

    def extra_repr(self) -> str:
        """Group and band limits."""
        return f"{self.group}, band_limit={self.band_limit}, band_limit_out={self.band_limit_out}"


def _band_limits(group: Group, band_limit: int | None, band_limit_out: int | None) -> tuple[int, int]:
    if group.order is not None:
        highest = max(irrep.frequency for irrep in irreps(group))
        limits = [highest if limit is None else limit for limit in (band_limit, band_limit_out)]
        allowed = f"in 0 ... {highest} for {group}"
    else:
        first = LIE_BAND_LIMIT if band_limit is None else band_limit
        highest, limits = 10**6, [first, 2 * first if band_limit_out is None else band_limit_out]
        allowed = "at least 0"
    for name, limit in zip(("band_limit", "band_limit_out"), limits, strict=True):
        if not 0 <= limit <= highest:
            raise ValueError(f"{name}: got {limit}, must be {allowed}; None takes a usual one")
    return limits[0], limits[1]


def _degree(group: Group, band_limit: int, band_limit_out: int, degree: int | None) -> int | None:
    """Of a quadrature that separates the harmonics; an even number of angles, for all of them to have inverses."""
    needed = max(2 * band_limit, band_limit + band_limit_out, 1)
    if group.order is not None:
        return None
    if degree is None:
        return 2 * needed if group.space == "space" else max(4 * needed - 1, CIRCLE_DEGREE)
    if degree < needed:
        raise ValueError(
            f"degree: got {degree}, the band limits {band_limit} and {band_limit_out} need at least {needed}; raise it "
            "or lower the band limits"
        )
    return degree
