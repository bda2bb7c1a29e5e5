"""Generators of equivariance of data, certified: the polynomial that data allow bounds the defects of an algebra.

Legend of axes: `N` examples, `P` points of reference, `n` numbers per input, `m` numbers per output, `q` monomials,
`K` candidates, `R` directions, `Q = m q` coefficients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure._inputs import as_tensors
from learnsym.measure._probe import check_one_tensor
from learnsym.measure.certified.ball import extremes
from learnsym.measure.certified.certificates import (
    Certificates,
    GeneratorCertificate,
    check_tolerance,
    verdict_of,
)
from learnsym.measure.certified.directions import directions
from learnsym.measure.certified.pairs import GeneratorPairs
from learnsym.measure.certified.polynomials import gradients, lie_derivatives
from learnsym.measure.certified.region import FURTHER, Region, region_of
from learnsym.parts import Whole
from learnsym.statistics import Interval, check_level

LIMIT = 2**0.5
"""No relative defect is larger: `|a - b| <= √2 (|a|² + |b|²)^1/2`."""


def certify_generators(
    x: Whole,
    y: Whole,
    pairs: GeneratorPairs | None = None,
    degree: int = 2,
    delta: float = 0.05,
    level: float = 0.95,
    *,
    at: Float[Tensor, "P n"] | None = None,
) -> Certificates:
    """Generators `(A, B)` with `J_f(x) A x = B f(x)` of the function behind noisy pairs of data, with certificates.

    The relative defect of a pair is, in root mean squares over points of reference,

        ρ(A, B) = |J_f A x - B f| / (|J_f A x|² + |B f|²)^1/2      in [0, √2]

    or, where all candidates leave the output alone, `|J_f A x| / (|J_f|_F |A x|)`, the cosine of gradients and motion,
    in [0, 1]. It does not depend on the scale of `x`, of `y` or of the pair. With `f` a polynomial of the given degree,
    both parts are linear in its coefficients, whose exact confidence ellipsoid gives upper and lower bounds of each by
    a trust-region problem. One event, that the ellipsoid holds the truth, makes all bounds true: those of every
    combination of candidates, however it was chosen. So with probability `level` nothing is certified whose defect is
    above `delta`, and nothing refuted whose defect is below.

    This needs: independent examples with normal noise of one standard deviation in all outputs, exact inputs, and a
    polynomial of the degree. The last is tested against two degrees more, and where the test rejects at `1 - level`, or
    cannot be made, nothing is decided. Only connected groups are seen.

    References: the certificate follows Kendiukhov, "SymCert" (2026), here for pairs of matrices; the criterion is that
    of Hu et al., "LieSD" (2024), arXiv 2410.09841.

    Args:
        x: inputs `(N, ...)`, flattened to `n` numbers; a tensor or an array.
        y: outputs `(N, ...)`, flattened to `m` numbers.
        pairs: what may be found; all of gl(n) and gl(m) when None. Shifts are found, too, where they are among them
            (`GeneratorPairs.with_shifts`): a turn about a centre that nobody named.
        degree: of the polynomial.
        delta: the largest relative defect of a symmetry.
        level: probability with which all verdicts hold.
        at: points of reference, over which defects are averaged; the inputs when None. Bounds widen fast outside of the
            inputs.

    Raises:
        ValueError: when shapes do not fit, numbers are not finite, or examples do not determine the polynomial.

    Example:
        >>> x = torch.rand(800, 2, dtype=torch.float64) * 4 - 2
        >>> turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]]).double()
        >>> y = x @ turn + 0.01 * torch.randn(800, 2)  # the field of a rotation
        >>> found = ls.measure.certify_generators(x, y, ls.measure.GeneratorPairs.tied(2), degree=1)
        >>> print(found)  # linear maps that commute with a rotation: itself and scale
        symmetric to within 0.05 at 95% along 2 dimensions; generators: 2 certified, 2 refuted, 0 not decided
    """
    x, y = _flat("x", x), _flat("y", y)
    points = x if at is None else _flat("at", at)
    pairs = GeneratorPairs.free(x.shape[1], y.shape[1]) if pairs is None else pairs
    _check(x, y, points, pairs, degree, delta, level)
    # defects do not depend on these units, rounding does
    unit_x, unit_y = (float(t.square().mean().sqrt()) or 1.0 for t in (x, y))
    x, y, points = x / unit_x, y / unit_y, points / unit_x
    region = region_of(x, y, points, degree, level)
    terms = _terms(region, pairs.in_units(x.shape[1], unit_x), points)
    reason = _reason(region.fit_p, level, degree)
    w = region.estimate.flatten()
    departure = torch.einsum("kro,o->rk", terms.departure, w)
    size = torch.cat([torch.einsum("kro,o->rk", block, w) for block in terms.sizes])
    found = directions(departure, size)
    bounds = [terms.bounds(region, theta) for theta in found.theta]
    a, b = pairs.combined(found.theta)
    return Certificates(
        generators=tuple(
            GeneratorCertificate(
                input=each_a,
                output=each_b,
                defect=Interval(estimate=float(defect), low=low, high=high, level=level),
                verdict=verdict_of(low, high, delta, reason),
            )
            for each_a, each_b, defect, (low, high) in zip(a, b, found.defects, bounds, strict=True)
        ),
        spans=tuple(terms.span(region, found.theta[:count])[1] for count in range(1, len(found.theta) + 1)),
        least=terms.span(region, found.theta)[0],
        unseen=pairs.combined(found.unseen),
        delta=delta,
        level=level,
        fit_p=region.fit_p,
        reason=reason,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Terms:
    """Departure and sizes of each candidate as linear maps of coefficients: norms are those of plain vectors."""

    departure: Float[Tensor, "K Q Q"]
    sizes: tuple[Float[Tensor, "K r Q"], ...]

    def bounds(self, region: Region, theta: Float[Tensor, "K"]) -> tuple[float, float]:
        """Lower and upper bound of the defect of one direction."""
        least, most = self._extremes(region, self.departure, theta)
        sizes = [self._extremes(region, block, theta) for block in self.sizes]
        smallest, largest = (math.hypot(*(ends[side] for ends in sizes)) for side in (0, 1))
        return least / largest, min(LIMIT, most / smallest) if smallest > 0 else LIMIT

    @staticmethod
    def _extremes(region: Region, maps: Tensor, theta: Tensor) -> tuple[float, float]:
        matrix = torch.einsum("k,kro->ro", theta, maps)
        return extremes(matrix @ region.estimate.flatten(), _of_noise(region, matrix), region.radius)

    def span(self, region: Region, theta: Float[Tensor, "d K"]) -> tuple[float, float]:
        """Bounds of the smallest and the largest defect among all combinations of directions.

        Singular values move by no more than the Frobenius norm of a change (Weyl), which is the length of a linear map
        of `u`: at most `R` times the largest singular value of that map.
        """
        least, most, error = self._singular(region, (self.departure,), theta)
        smallest, largest, change = self._singular(region, self.sizes, theta)
        high = (most + error) / (smallest - change) if smallest > change else LIMIT
        return max(0.0, least - error) / (largest + change), min(LIMIT, high)

    @staticmethod
    def _singular(region: Region, blocks: tuple[Tensor, ...], theta: Tensor) -> tuple[float, float, float]:
        maps = torch.cat([torch.einsum("dk,kro->dro", theta, block) for block in blocks], 1)
        values = torch.linalg.svdvals(maps @ region.estimate.flatten())
        reach = region.radius * float(torch.linalg.matrix_norm(_of_noise(region, maps.flatten(0, 1)), 2))
        return float(values.min()), float(values.max()), reach


def _of_noise(region: Region, matrix: Float[Tensor, "r Q"]) -> Float[Tensor, "r Q"]:
    """`matrix @ (I_m ⊗ S^1/2)`."""
    return (matrix.unflatten(1, region.estimate.shape) @ region.root).flatten(1)


def _terms(region: Region, pairs: GeneratorPairs, at: Float[Tensor, "P n"]) -> _Terms:
    m, q = region.estimate.shape
    eye_m, eye_q = torch.eye(m, dtype=at.dtype), torch.eye(q, dtype=at.dtype)
    # (A·∇) φ = φ W⁻¹ Rᵀ W of the whitened monomials
    derivative = torch.linalg.solve(
        region.whiten, lie_derivatives(region.exponents, pairs.input.to(at)).mT @ region.whiten
    )
    on_input = torch.stack([torch.kron(eye_m, each.contiguous()) for each in derivative])
    on_output = torch.stack([torch.kron(each.contiguous(), eye_q) for each in pairs.output.to(at)])
    if pairs.is_invariance:
        return _Terms(departure=on_input, sizes=(_unaligned(region, pairs, at),))
    return _Terms(departure=on_input - on_output, sizes=(on_input, on_output))


def _unaligned(region: Region, pairs: GeneratorPairs, at: Float[Tensor, "P n"]) -> Float[Tensor, "K r Q"]:
    """`∂_j f (A x)_k` for all `j` and `k`, whose root mean square is that of `|∇f| |A x|`."""
    slope = gradients(at, region.exponents) @ region.whiten / len(at) ** 0.5
    rows = torch.einsum("pjq,pik->pjikq", slope, pairs.moved(at)).flatten(0, 2)
    # lengths are kept by the triangle alone
    triangle = torch.linalg.qr(rows.flatten(1), mode="r").R.unflatten(1, rows.shape[1:]).movedim(1, 0)
    eye = torch.eye(len(region.estimate), dtype=at.dtype)
    return torch.stack([torch.kron(eye, each.contiguous()) for each in triangle])


def _reason(fit_p: float, level: float, degree: int) -> str:
    if math.isnan(fit_p):
        return f"too few examples to test the degree against {degree + FURTHER}; take more, or a lower degree"
    if fit_p < 1 - level:
        return f"polynomials of degree {degree} do not fit (p = {fit_p:.1g}); take a higher degree, or other features"
    return ""


def _flat(name: str, values: Whole) -> Float[Tensor, "N n"]:
    tensor = as_tensors(values)
    check_one_tensor(tensor)
    if tensor.ndim < 1 or not tensor.is_floating_point() or not tensor.isfinite().all():
        raise ValueError(
            f"{name}: got {tuple(tensor.shape)} of {tensor.dtype}, must be finite floating-point numbers, one row per "
            "example; convert it, and leave rows that are not finite out"
        )
    return tensor.detach().double().cpu().reshape(len(tensor), -1)


def _check(x: Tensor, y: Tensor, at: Tensor, pairs: GeneratorPairs, degree: int, delta: float, level: float) -> None:
    check_level(level)
    check_tolerance(delta)
    if degree < 1:
        raise ValueError(f"degree: got {degree}, must be >= 1; 2 or 3 are usual")
    if len(x) != len(y):
        raise ValueError(f"y: got {len(y)} outputs for {len(x)} inputs, must be as many")
    if at.shape[1] != x.shape[1]:
        raise ValueError(f"at: got points of {at.shape[1]} numbers, must be {x.shape[1]} as the inputs")
    pairs.check(x.shape[1], y.shape[1])
