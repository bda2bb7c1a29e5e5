"""Generators of equivariance of a trained network: chosen on one half of the examples, bounded on the other.

Legend of axes: `B` examples, `J` those that judge, `n` numbers per input, `m` numbers per output, `K` candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym._modes import evaluating
from learnsym.actions._checks import check_floating
from learnsym.measure._inputs import OutputLike, as_tensors, output_of
from learnsym.measure._probe import Model, check_one_tensor, check_probe
from learnsym.measure._reader import outputs_of
from learnsym.measure.certified.certificates import (
    Certificates,
    GeneratorCertificate,
    check_tolerance,
    verdict_of,
)
from learnsym.measure.certified.directions import directions
from learnsym.measure.certified.pairs import GeneratorPairs
from learnsym.measure.discovery.polarisation import gradients
from learnsym.measure.discovery.ratio import lower_ratio, upper_ratio
from learnsym.parts import Whole
from learnsym.statistics import Interval, check_level


def certify_model(
    model: Model,
    x: Whole,
    pairs: GeneratorPairs | None = None,
    delta: float = 0.1,
    level: float = 0.95,
    seed: int = 0,
    *,
    output: OutputLike = None,
    batch_size: int = 64,
) -> Certificates:
    """Generators `(A, B)` with `J_f(x) A x = B f(x)` of a network, with bounds of their relative defects.

    The relative defect is that of `certify_generators`, in root mean squares over the law of the examples. One half of
    them, drawn by the seed, chooses directions of the algebra: singular vectors of the rows `J A x - B f` of all
    examples, by QR in float64. On the other half each has an upper and a lower bound (Fieller), and so have all
    combinations of the first ones, together valid with probability `level` (Bonferroni). As in
    `GeneratorCandidate.bound`, one example more is counted, on which the symmetry fails: with `n` examples that judge,
    no bound is below about `(4 / n)^1/2`.

    This is weaker than `certify_generators`: bounds are asymptotic in the number of examples, and they are about the
    network, which may have a symmetry that the data have not (a network too small makes some), or miss one.

    Reference: Hu et al., "LieSD" (2024), arXiv 2410.09841; the bounds
    are our own.

    Args:
        model: any differentiable callable of a batch; a module is put into evaluation mode and back.
        x: independent examples `(B, ...)`, which have had no part in training where verdicts are about new ones.
        pairs: what may be found; all of gl(n) and gl(m) when None.
        delta: the largest relative defect of a symmetry.
        level: probability with which all verdicts hold.
        seed: of the halves.
        output: key of the part of what the model returns that is measured, or a function that takes it out.
        batch_size: examples per call of the model; does not change the result.

    Raises:
        ValueError: when shapes do not fit, for fewer than 20 examples, or outputs without a gradient.

    Example:
        >>> x = torch.randn(2000, 3, dtype=torch.float64)
        >>> model = lambda x: x * x.square().sum(1, keepdim=True)
        >>> found = ls.measure.certify_model(model, x, ls.measure.GeneratorPairs.tied(3))
        >>> found.dimension, found.closure_defect < 1e-12  # rotations
        (3, True)
    """
    x, output = as_tensors(x, model), output_of(output)
    check_one_tensor(x)
    check_floating(x)
    check_level(level)
    check_tolerance(delta)
    check_probe(model, x, batch_size)
    if len(x) < 20:
        raise ValueError(f"x: got {len(x)} examples, must be >= 20; a thousand bound defects below 0.1")
    with evaluating(model):
        f = outputs_of(model, x, output, batch_size).flatten(1)
        pairs = GeneratorPairs.free(x[0].numel(), f.shape[1]) if pairs is None else pairs
        pairs.check(x[0].numel(), f.shape[1])
        slopes = torch.stack(list(gradients(model, x, f.shape[1], seed, output, batch_size)), 1)
    rows = _Rows.of(x.flatten(1).double().cpu(), f.double().cpu(), slopes.double().cpu(), pairs)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    choosing, judging = (rows.at(half) for half in order.tensor_split(2))
    found = directions(choosing.departure.flatten(0, 1), choosing.size.flatten(0, 1))
    # two bounds of each direction, and one of each span
    tail = (1 - level) / (3 * len(found.theta))
    judged = judging.along(found.theta)
    a, b = pairs.combined(found.theta)
    return Certificates(
        generators=tuple(_certificate(*each, delta, level, tail) for each in zip(a, b, *judged.squares, strict=True)),
        spans=tuple(judged.span(count, tail) for count in range(1, len(found.theta) + 1)),
        least=0.0,
        unseen=pairs.combined(found.unseen),
        delta=delta,
        level=level,
        fit_p=1.0,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """What each example says of each candidate."""

    departure: Float[Tensor, "B r K"]
    size: Float[Tensor, "B s K"]

    @classmethod
    def of(
        cls, x: Float[Tensor, "B n"], f: Float[Tensor, "B m"], slopes: Float[Tensor, "B m n"], pairs: GeneratorPairs
    ) -> _Rows:
        """`J A x - B f`, and either `(J A x, B f)` or, for invariance, `|J|_F A x`."""
        moved = pairs.moved(x)
        on_input = slopes @ moved
        if pairs.is_invariance:
            return cls(departure=on_input, size=slopes.flatten(1).norm(dim=1)[:, None, None] * moved)
        on_output = torch.einsum("kij,bj->bik", pairs.output.to(f), f)
        return cls(departure=on_input - on_output, size=torch.cat([on_input, on_output], 1))

    def at(self, index: Tensor) -> _Rows:
        """Of some examples."""
        return _Rows(departure=self.departure[index], size=self.size[index])

    def along(self, theta: Float[Tensor, "R K"]) -> _Rows:
        """Of combinations of candidates."""
        return _Rows(departure=self.departure @ theta.mT, size=self.size @ theta.mT)

    @property
    def squares(self) -> tuple[Float[Tensor, "K B"], Float[Tensor, "K B"]]:
        """`q` and `h`: squared departure and size of each example."""
        return self.departure.square().sum(1).mT, self.size.square().sum(1).mT

    def span(self, count: int, tail: float) -> float:
        """Upper bound of the defect of all combinations of the first candidates.

        `max θᵀCθ / θᵀDθ <= tr C / λ_min(D)`, with the direction of the smallest eigenvalue taken from the examples.
        """
        size = self.size[..., :count]
        _, vectors = torch.linalg.eigh(torch.einsum("bik,bil->kl", size, size))
        q, h = self.departure[..., :count].square().sum((1, 2)), (size @ vectors[:, 0]).square().sum(1)
        return _upper(q, h, tail)


def _certificate(
    a: Tensor, b: Tensor, q: Float[Tensor, "J"], h: Float[Tensor, "J"], delta: float, level: float, tail: float
) -> GeneratorCertificate:
    low, high = lower_ratio(q, h, tail), _upper(q, h, tail)
    defect = Interval(estimate=float(q.mean() / h.mean()) ** 0.5, low=low, high=high, level=level)
    return GeneratorCertificate(input=a, output=b, defect=defect, verdict=verdict_of(low, high, delta, ""))


def _upper(q: Float[Tensor, "J"], h: Float[Tensor, "J"], tail: float) -> float:
    return upper_ratio(q, h, tail, extra=max(float(q.max()), float(h.mean())))
