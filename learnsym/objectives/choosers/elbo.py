"""The evidence lower bound as the chooser: parameters of symmetry have posteriors that maximise it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from learnsym.objectives._objective import Batch, Objective
from learnsym.objectives.choosers._chooser import Chooser


@dataclass(frozen=True, kw_only=True)
class EvidenceBound(Chooser):
    """The evidence lower bound (ELBO) of a model whose layers have posteriors, which gives intervals."""

    name: Literal["elbo"] = "elbo"
    """Chooser of the degree of symmetry."""

    label = "elbo"
    note = "They are posteriors that maximise the evidence lower bound on the training examples."

    needs = "nothing: layers have posteriors"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The objective itself, whose terms are divergences from priors to posteriors."""
        return objective
