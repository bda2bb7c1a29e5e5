"""What is surely known of generators: bounds that hold all at once, and verdicts at a stated tolerance.

Legend of axes: `n` numbers per input, `m` numbers per output, `d` certified dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.measure.certified.directions import closure_defect, sparse_basis
from learnsym.statistics import Interval

CertificateVerdict = Literal["certified", "refuted", "not decided"]


@dataclass(frozen=True, kw_only=True, eq=False)
class GeneratorCertificate:
    """One pair of generators, with bounds of its relative defect."""

    input: Float[Tensor, "n n"]
    """`A`, with a row and a column more where inputs are shifted as well; the pair has Frobenius norm 1."""
    output: Float[Tensor, "m m"]
    """`B`."""
    defect: Interval
    """Plug-in estimate and bounds; those of all generators hold at once."""
    verdict: CertificateVerdict


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificates:
    """Generators of equivariance, the most symmetric first, with verdicts that all hold with probability `level`.

    *Certified*: the relative defect is below `delta`. *Refuted*: it is above. *Not decided*: data leave both open. Not
    to be refuted is not to be certified: this is an equivalence test (Schuirmann, 1987).
    """

    generators: tuple[GeneratorCertificate, ...]
    spans: tuple[float, ...]
    """Upper bounds of the defects of *all* combinations of the first, the first two, ... generators, at once."""
    least: float
    """Lower bound of the defects of all candidates at once: above `delta` there is no symmetry among them. 0 for a
    network, of which none is computed."""
    unseen: tuple[Float[Tensor, "U n n"], Float[Tensor, "U m m"]]
    """Pairs that move neither side: what the data do not see of a motion. Ask `GeneratorPairs.invariance` for
    motions of the input that leave the output alone."""
    delta: float
    level: float
    fit_p: float
    """p-value of the test that the class of functions is large enough; 1 for a network, which is what it is."""
    reason: str = ""
    """Why nothing can be decided; empty when it can."""

    @property
    def dimension(self) -> int:
        """Largest number of generators of which every combination is certified."""
        if self.reason:
            return 0
        return max((count for count, bound in enumerate(self.spans, 1) if bound <= self.delta), default=0)

    @property
    def basis(self) -> tuple[Float[Tensor, "d n n"], Float[Tensor, "d m m"]]:
        """A sparse basis of the certified algebra: input parts and output parts."""
        a, b = (torch.stack([getattr(each, side) for each in self.generators]) for side in ("input", "output"))
        a, b = a[: self.dimension], b[: self.dimension]
        flat = sparse_basis(torch.cat([a.flatten(1), b.flatten(1)], 1))
        cut = a.shape[1] ** 2
        return flat[:, :cut].unflatten(1, a.shape[1:]), flat[:, cut:].unflatten(1, b.shape[1:])

    @property
    def closure_defect(self) -> float:
        """How far brackets leave the certified span, from 0 for a Lie algebra to at most 1."""
        return closure_defect(*self.basis)

    def __str__(self) -> str:
        counts = [
            f"{sum(each.verdict == verdict for each in self.generators)} {verdict}"
            for verdict in ("certified", "refuted", "not decided")
        ]
        said = f"symmetric to within {self.delta:g} at {self.level:.0%} along {self.dimension} dimensions"
        return f"{said}; generators: {', '.join(counts)}{f'; {self.reason}' if self.reason else ''}"


def verdict_of(low: float, high: float, delta: float, reason: str) -> CertificateVerdict:
    """The verdict that bounds allow."""
    if reason:
        return "not decided"
    if high <= delta:
        return "certified"
    return "refuted" if low > delta else "not decided"


def check_tolerance(delta: float) -> None:
    """Raise ValueError for a tolerance that is not a relative defect."""
    if not 0 < delta < 1:
        raise ValueError(f"delta: got {delta}, must lie between 0 and 1; 0.05 lets a twentieth of the motion go wrong")
