"""A running state of how far the gradient leaves the symmetry, as the chooser of gains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import nn

from learnsym._settings import Count, NotNegative, Positive
from learnsym.objectives._objective import Batch, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.gains import set_values
from learnsym.objectives.choosers.symmetry_gap import GapObjective


@dataclass(frozen=True, kw_only=True)
class Modulation(Chooser):
    """Gains that follow how far the gradient of each layer leaves the symmetry, see `objectives.ModulatedGains`."""

    name: Literal["modulation"] = "modulation"
    """Chooser of the degree of symmetry."""
    scale: Positive = 1.0
    """Gain per unit of the state, which is at most 1."""
    errors: NotNegative = 3.0
    """Standard errors by which the state must be above 0."""
    memory: Count = 100
    """Looks over which the state runs."""
    every: Count = 2
    """Steps between looks, each of which costs about a second pass backwards."""

    label = "modulation"
    note = "The free branch of each layer is as strong as the mean gradient is found to leave the symmetry."
    sets_gains = True
    starts_exact = True

    needs = "nothing: gains follow gradients"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The objective with gains set before every step."""
        return ModulatedGains(
            objective, examples, scale=self.scale, errors=self.errors, memory=self.memory, every=self.every
        )


class ModulatedGains(GapObjective):
    """An objective that sets the gain of each layer from a running state of its symmetry gap.

        M = E[d xᵀ],    q = <Q(M_1), Q(M_2)> / (|M_1| |M_2|),    h ← (1 - a) h + a q,    γ = scale · relu(h - z se(h))

    with the inputs `x` of a linear map in the layer, the loss gradients `d` at its outputs, and `M_1`, `M_2` of the two
    halves of a batch. Where the joint law of `(x, d)` is invariant, `Q(M) = 0`, and `E[q] = 0` since the halves are
    independent, whereas `|Q(M)|²` would hold the noise of the batch; `q` needs targets, and no group samples. So gains
    end at 0 where the data are symmetric, but for chance, and they are at most `scale` times the gap. Looks count as
    independent up to one epoch: examples that come again say nothing new about their law. The first looks, of which no
    standard error is known, leave gains at 0.

    Gains begin at 0, whatever they are, and get no gradient. The law is that at the current weights: above a layer that
    breaks the symmetry, `(x, d)` is not invariant even where the data are. A gap that the free branch has closed is no
    longer seen, so that the gain is not where the loss is least, but where what is left of the gap feeds it.

    Reference: Pertigkiozoglou, Petrache, Trivedi, Daniilidis (2026), arXiv 2602.02853 (RECM), for the idea of a
    recurrent state of each layer, driven by the symmetry gap; signal, state and bound are our own, and this is not
    their method.

    Args:
        objective: loss on the targets with the terms of all learners, a mean over examples.
        examples: number of training examples; None for new ones in every batch.
        scale: gain per unit of the state.
        errors: `z`.
        memory: `1 / a` looks.
        every: steps between looks.

    Raises:
        ValueError: for a number out of range; in training, when the model has no gain, or a batch has one example.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> net = ls.relax.ScaledPathway(ls.equivariant.EquivariantLinear(fields, fields))
        >>> objective = ls.objectives.ModulatedGains(ls.objectives.Supervised(ls.objectives.mse))
        >>> float(objective(net, (torch.rand(6, 4), torch.rand(6, 4))).parts["gain"])
        0.0
    """

    def __init__(
        self,
        objective: Objective,
        examples: int | None = None,
        *,
        scale: float = 1.0,
        errors: float = 3.0,
        memory: int = 100,
        every: int = 2,
    ) -> None:
        super().__init__(objective, examples, errors, memory, every)
        if not scale > 0:
            raise ValueError(f"scale: got {scale}, must be > 0; take the default")
        self.scale = scale

    def fixed(self, gains: list[nn.Parameter], batch: int) -> list[nn.Parameter]:
        """All gains, at `γ = scale · relu(h - z se)`."""
        set_values(gains, self.scale * self.excess(batch).relu())
        return gains
