"""symmetry_certificate: which symmetries a simulator has, and what a broken one costs an equivariant network.

Legend of axes: `B` examples, `S` group elements.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.data.dynamics._rounding import rounding_error
from learnsym.data.dynamics.candidates import CandidateSymmetry
from learnsym.distributions.draws import draws_of, matching
from learnsym.statistics import Estimate, student_interval
from learnsym.symmetry import Symmetry

WHOLE = 48
"""Finite groups of at most this order are taken whole."""
LEVEL = 0.95
EXACT, BROKEN, OPEN = "exact", "broken", "not decided"

Simulator = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class CertificateRow:
    """What is known about one candidate."""

    candidate: str
    elements: int
    """Group elements per example."""
    is_whole: bool
    """Whether they are all elements of the group."""
    defect: float
    """Mean squared equivariance defect per coordinate."""
    defect_stderr: float
    floor: float
    """Least mean squared error per coordinate of a strictly equivariant deterministic predictor."""
    floor_stderr: float
    low: float
    """Lower end of the interval of the defect above what rounding explains."""
    high: float
    verdict: str
    """`exact`, `broken` or `not decided`."""


@dataclass(frozen=True, kw_only=True)
class SymmetryCertificate:
    """The symmetries of a simulator: one row per candidate, JSON-able by `to_dict`, a table as text."""

    rows: tuple[CertificateRow, ...]
    examples: int
    rounding: float
    """Mean squared change per coordinate that rounding explains."""
    level: float = LEVEL
    """Probability with which an interval `[low, high]` covers."""

    def __getitem__(self, candidate: str) -> CertificateRow:
        """The row of a candidate by its name."""
        for row in self.rows:
            if row.candidate == candidate:
                return row
        raise KeyError(f"{candidate!r}: must be one of {', '.join(row.candidate for row in self.rows)}")

    def to_dict(self) -> dict[str, Any]:
        """Numbers, texts and lists only."""
        return json.loads(json.dumps(asdict(self)))

    def __str__(self) -> str:
        lines = [("candidate", "elements", "squared defect", "error floor", "verdict"), *map(_cells, self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = (zip(line, widths, strict=True) for line in lines)
        table = "\n".join("  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in padded)
        return f"{table}\n{self.examples} examples; rounding explains a squared defect of {self.rounding:.2g}"


def symmetry_certificate(
    simulate: Simulator,
    x: Float[Tensor, "B ..."],
    candidates: Sequence[Symmetry | CandidateSymmetry],
    samples: int = 8,
    seed: int = 0,
) -> SymmetryCertificate:
    """Measure a simulator itself for symmetries, before any network is trained on it.

    With the outputs moved back, `z_s = g_s^-1·f(g_s·x)`, per example and coordinate:

        defect = mean_s (z_s - f(x))²,    floor = Var_s z_s

    A strictly equivariant predictor gives one value for all `z_s`, so that its mean squared error is at least the
    floor, if the law of inputs is invariant under the candidate (`g·x` as likely as `x`). Where inputs tell the
    orientation, as they do in a field that has acted on them, the floor is that of a data set turned at random.

    A simulation amplifies rounding. What it makes of inputs moved by about 64 units in the last place (see `rounding`)
    is taken off the defect, tenfold; the verdict is `exact` when nothing remains on average, `broken` when the 95%
    interval of what remains lies above 0, and `not decided` else. A break in rare examples needs many examples to show.

    Args:
        simulate: `f`, from states `(B, ...)` to outputs; deterministic.
        x: examples of inputs, in float64 for a sharp verdict.
        candidates: what is asked about: a `Symmetry` of a compact group, or a `CandidateSymmetry` with a law of its
            elements.
        samples: elements per example; a finite group of at most 48 elements is taken whole.
        seed: determines which elements are drawn.

    Raises:
        ValueError: for no candidates, fewer than 2 examples, inputs that do not fit, or outputs that are not finite.

    Example:
        >>> from learnsym.data.dynamics import GravitySystem, standard_candidates, symmetry_certificate
        >>> system = GravitySystem()
        >>> certificate = symmetry_certificate(system.future, system.initial(20), standard_candidates(4), samples=2)
        >>> certificate["SO(3)"].verdict
        'exact'
    """
    asked = [_named(candidate) for candidate in candidates]
    if not asked or len(x) < 2:
        raise ValueError(f"candidates, x: got {len(asked)}, {len(x)} examples; give at least 1 and 2")
    for candidate in asked:
        candidate.symmetry.on_input.check_data(candidate.symmetry.group, x)
    y = _outputs(simulate, x)
    explained = rounding_error(simulate, x, y, [candidate.symmetry for candidate in asked], samples, seed)
    rows = tuple(_row(simulate, x, y, explained, candidate, samples, seed) for candidate in asked)
    return SymmetryCertificate(rows=rows, examples=len(x), rounding=float(explained.mean()))


def _row(
    simulate: Simulator, x: Tensor, y: Tensor, explained: Tensor, candidate: CandidateSymmetry, samples: int, seed: int
) -> CertificateRow:
    symmetry, law = candidate.symmetry, candidate.law
    order = symmetry.group.order
    whole = law is None and order is not None and order <= WHOLE and order == len(symmetry.group.components)
    draws = draws_of(x, symmetry, order if whole and order else samples, law, seed)
    back = [_moved_back(simulate, x, symmetry, g) for g in draws.elements]
    defect = torch.stack([_square(z - y) for z in back]).mean(0)
    mean = torch.stack(back).mean(0)
    # the variance over the whole group, else its unbiased estimate
    spread = torch.stack([_square(z - mean) for z in back]).sum(0) / (len(back) - (not draws.is_whole))
    error, floor, excess = Estimate.of(defect), Estimate.of(spread), Estimate.of(defect - explained)
    low, high = student_interval(excess, LEVEL).ends
    return CertificateRow(
        candidate=candidate.name,
        elements=len(back),
        is_whole=draws.is_whole,
        defect=error.mean,
        defect_stderr=error.stderr,
        floor=floor.mean,
        floor_stderr=floor.stderr,
        low=low,
        high=high,
        verdict=EXACT if excess.mean <= 0 else BROKEN if low > 0 else OPEN,
    )


def _moved_back(simulate: Simulator, x: Tensor, symmetry: Symmetry, g: Tensor) -> Tensor:
    """`g^-1·f(g·x)`, float64."""
    y = _outputs(simulate, symmetry.on_input(matching(g, x), x))
    return symmetry.on_output(symmetry.group.inverse(g).to(y), y)


def _outputs(simulate: Simulator, x: Tensor) -> Tensor:
    with torch.no_grad():
        y = simulate(x)
    if len(y) != len(x) or not torch.isfinite(y).all():
        raise ValueError(f"simulate: gave {tuple(y.shape)} for {len(x)} examples; must be finite, one output for each")
    return y.double()


def _square(difference: Tensor) -> Float[Tensor, "B"]:
    return difference.square().flatten(1).mean(1)


def _named(candidate: Symmetry | CandidateSymmetry) -> CandidateSymmetry:
    return candidate if isinstance(candidate, CandidateSymmetry) else CandidateSymmetry(candidate.name, candidate)


def _cells(row: CertificateRow) -> tuple[str, str, str, str, str]:
    elements = f"all {row.elements}" if row.is_whole else f"{row.elements}"
    defect, floor = f"{row.defect:.2e} ± {row.defect_stderr:.1e}", f"{row.floor:.2e} ± {row.floor_stderr:.1e}"
    return (row.candidate, elements, defect, floor, row.verdict)
