"""Forward selection of free branches: a test says which layer is opened next, the training loss how far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from learnsym._processes import processes
from learnsym._read_once import ReadOnce
from learnsym._settings import Count, NotNegative
from learnsym.objectives._objective import Batch, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.gains import set_values
from learnsym.objectives.choosers.symmetry_gap import LEAST_LOOKS, GapObjective


@dataclass(frozen=True, kw_only=True)
class ForwardSelection(Chooser):
    """Gains of 0 that are opened layer by layer by a test of the gradient, see `objectives.OpenedGains`."""

    name: Literal["forward_selection"] = "forward_selection"
    """Chooser of the degree of symmetry."""
    errors: NotNegative = 3.0
    """Standard errors by which the mean gap of a layer must be above 0 before it is opened."""
    memory: Count = 100
    """Looks over which that mean runs."""
    every: Count = 2
    """Steps between looks, each of which costs about a second pass backwards."""

    label = "forward selection"
    note = (
        "A free branch is opened where the mean gradient is found to leave the symmetry, and is trained from then on."
    )
    starts_exact = True

    needs = "nothing: a test of gradients opens gains"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """The objective with gains opened before steps."""
        return OpenedGains(objective, examples, errors=self.errors, memory=self.memory, every=self.every)


class OpenedGains(GapObjective):
    """An objective that opens the free branch of one layer after the other, where the gradient leaves the symmetry.

        l = argmax h_l - z se(h_l) of closed layers;  when that is above 0:  γ_l ← h_l,  then  γ_l ← γ_l - η dJ/dγ_l

    with the symmetry gap `h` of `ModulatedGains`. Gains are 0 and get no gradient until their layer is opened; from
    then on they follow the training loss: a test says *where* the data leave the symmetry, and the loss *how far*. (In
    `ModulatedGains` one state says both, and a gap that is closed in part feeds its gain no more.) The state of all
    layers begins anew with each opening, since what one branch explains, another is not needed for. The test is read
    after every tenth look. Where the data are symmetric all gains end at exactly 0, but for chance. A layer that was
    opened is not closed again.

    Reference: own; a test of the gradient of what is left out is the score test of Rao, "Large sample tests of
    statistical hypotheses" (1948), used as in forward selection; Pertigkiozoglou, Petrache, Trivedi, Daniilidis (2026),
    arXiv 2602.02853 (RECM), for a state of each layer that is driven by the symmetry gap.

    Args:
        objective: loss on the targets with the terms of all learners, a mean over examples.
        examples: number of training examples; None for new ones in every batch.
        errors: `z`.
        memory: looks over which `h` runs.
        every: steps between looks.

    Raises:
        ValueError: for a number out of range; in training, when the model has no gain, a batch has one example, or
            there is more than one process.

    Example:
        >>> fields = ls.equivariant.FieldType.regular(ls.groups.Cyclic(4), 1)
        >>> net = ls.relax.ScaledPathway(ls.equivariant.EquivariantLinear(fields, fields))
        >>> objective = ls.objectives.OpenedGains(ls.objectives.Supervised(ls.objectives.mse))
        >>> float(objective(net, (torch.rand(6, 4), torch.rand(6, 4))).parts["gain"])
        0.0
    """

    def __init__(
        self,
        objective: Objective,
        examples: int | None = None,
        *,
        errors: float = 3.0,
        memory: int = 100,
        every: int = 2,
    ) -> None:
        super().__init__(objective, examples, errors, memory, every)
        self.read = ReadOnce()

    def fixed(self, gains: list[nn.Parameter], batch: int) -> list[nn.Parameter]:
        """The gains of closed layers, at 0."""
        if processes() > 1:
            raise ValueError(
                f"chooser: got forward_selection in {processes()} processes, which leaves parameters without "
                "gradients; use one process, or take modulation"
            )
        mean = self.kept["mean"]
        self.kept["open"] = self.kept.get("open", torch.zeros_like(mean)).to(mean.device)
        if self.step % (LEAST_LOOKS * self.every) == 0:
            self._open_next(gains, batch)
        closed = [gain for gain, is_open in zip(gains, self.read(self.kept["open"]), strict=True) if not is_open]
        set_values(closed, mean.new_zeros(len(closed)))
        return closed

    @torch.no_grad()
    def _open_next(self, gains: list[nn.Parameter], batch: int) -> None:
        # l = argmax h - z se of closed layers
        excess = self.excess(batch).where(self.kept["open"] == 0, -1.0)
        best = excess.argmax()
        if excess[best] > 0:
            gains[int(best)].copy_(self.kept["mean"][best])
            self.kept["open"] = self.kept["open"].index_fill(0, best, 1.0)
            self.kept.update({name: torch.zeros_like(self.kept[name]) for name in ("mean", "variance", "looks")})

    def opened(self, model: nn.Module) -> list[str]:
        """The paths of the layers that were opened."""
        return [path for path, is_open in self.by_layer("open", model).items() if is_open]
