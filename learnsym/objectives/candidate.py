"""Candidate: a symmetry that may hold, with the penalty that says how far a model is from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from learnsym._constant import constant
from learnsym.distributions import GroupDistribution, Haar, full_precision, uniform_noise
from learnsym.objectives.losses import LossFunction
from learnsym.objectives.terms.defect import OrbitOutputs, penalties
from learnsym.parts import Whole, examples, repeated
from learnsym.ragged import Ragged
from learnsym.symmetry import Symmetry, SymmetryLike, as_symmetry

Mode = Literal["anchored", "functional", "twirl"]
FEWEST: dict[str, int] = {"anchored": 1, "functional": 1, "twirl": 2}
"""Group elements per example that each mode needs."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A symmetry that may hold, with the penalty that says how far a model is from it.

    Args:
        symmetry: the statement `f(g·x) = g·f(x)`; or its name.
        mode: `anchored` to moved labels, the `functional` defect, or the variance along the orbit (`twirl`); see the
            functions of these names.
        samples: group elements per example and step; `twirl` needs 2 or more.
        fraction: share of the batch whose moves are looked at, in (0, 1]: what the penalty costs beside the task.
        distribution: of the elements; the Haar measure of a compact group when None.

    Raises:
        ValueError: for an unknown mode, too few samples, a fraction outside of (0, 1], or no distribution on a group
            that is not compact.

    Example:
        >>> ls.objectives.Candidate(symmetry=ls.symmetry.so3(), fraction=0.25).count(64)
        16
    """

    symmetry: SymmetryLike
    mode: Mode = "functional"
    samples: int = 1
    fraction: float = 1.0
    distribution: GroupDistribution | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "symmetry", as_symmetry(self.symmetry))
        if self.mode not in get_args(Mode):
            raise ValueError(f"mode: got {self.mode!r}, must be one of {', '.join(get_args(Mode))}")
        least = FEWEST[self.mode]
        if self.samples < least:
            raise ValueError(f"samples: got {self.samples}, must be >= {least} for {self.mode}; draw that many moves")
        if not 0 < self.fraction <= 1:
            raise ValueError(f"fraction: got {self.fraction}, must lie in (0, 1]; 1 moves every example")
        if self.distribution is None and not self.statement.group.is_compact:
            raise ValueError(
                f"distribution: got None, but {self.statement.name} is not compact and has no uniform law; "
                "pass one, e.g. ls.distributions.LieBox(group, half_width)"
            )

    @property
    def statement(self) -> Symmetry:
        """The symmetry, of which the name may have been given."""
        return as_symmetry(self.symmetry)

    @property
    def needs_labels(self) -> bool:
        """Whether the penalty reads targets."""
        return self.mode == "anchored"

    @property
    def needs_outputs(self) -> bool:
        """Whether the penalty reads outputs at the unmoved examples."""
        return self.mode == "functional"

    def count(self, batch: int) -> int:
        """How many examples of a batch are moved, at least one."""
        return max(1, math.ceil(self.fraction * batch))

    def elements(self, x: Whole) -> Float[Tensor, "S M n n"]:
        """Fresh group elements for each example."""
        moving, count = self.statement.moving(x), examples(x)
        law = Haar(self.statement.group) if self.distribution is None else self.distribution
        law = law.replace({name: constant(value, moving) for name, value in law.tensors().items()})
        with full_precision(moving.device), torch.no_grad():
            return law.from_uniform(uniform_noise((self.samples, count, law.uniforms), law.reference, batch_axis=1))

    def moved(self, g: Float[Tensor, "S M n n"], x: Whole) -> Whole:
        """The inputs at which the model is asked, `S M` of them."""
        return self.statement.on_input(g.flatten(0, 1), repeated(x, len(g)))

    def penalty(
        self,
        loss_fn: LossFunction,
        g: Float[Tensor, "S M n n"],
        at_moved: Shaped[Tensor, "N ..."],
        at_x: Shaped[Tensor, "M ..."] | None,
        y: Shaped[Tensor, "M ..."] | Ragged | None,
        mask: Bool[Tensor, "M P"] | None = None,
        moved_mask: Bool[Tensor, "N P"] | None = None,
    ) -> Float[Tensor, ""]:
        """The penalty, from outputs at the moved inputs and, where `needs_outputs`, at the inputs themselves.

        The masks are those of clouds and of moved clouds, whose padding does not count; None without any.
        """
        orbit = OrbitOutputs(
            symmetry=self.statement,
            g=g,
            at_moved=at_moved.unflatten(0, (len(g), -1)),
            at_x=at_x,
            y=y,
            mask=mask,
            moved_mask=None if moved_mask is None else moved_mask.unflatten(0, (len(g), -1)),
        )
        return penalties[self.mode](orbit, loss_fn)


def bank(
    symmetries: Mapping[str, SymmetryLike], mode: Mode = "functional", fraction: float = 1.0, samples: int | None = None
) -> dict[str, Candidate]:
    """One candidate per symmetry, which share the moved part of the batch: no dearer than a single one.

    Args:
        symmetries: by the name under which weights are logged.
        mode: of every penalty.
        fraction: share of the batch that is moved by all candidates together.
        samples: group elements per example; the fewest that the mode takes when None.

    Example:
        >>> axes = {name: ls.Symmetry(ls.groups.AxialSO2(i), ls.actions.PointCloud()) for i, name in enumerate("xyz")}
        >>> [candidate.count(30) for candidate in ls.objectives.bank(axes).values()]
        [10, 10, 10]
    """
    if not symmetries:
        raise ValueError("symmetries: got none, must name at least one candidate")
    first = Candidate(
        symmetry=as_symmetry(next(iter(symmetries.values()))),
        mode=mode,
        samples=samples or FEWEST[mode],
        fraction=fraction / len(symmetries),
    )
    return {name: replace(first, symmetry=as_symmetry(symmetry)) for name, symmetry in symmetries.items()}
