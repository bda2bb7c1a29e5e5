"""The loss on held-out examples as the chooser: of parameters of symmetry, or of weights in the loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym._settings import Copies, In
from learnsym.learners import symmetry_parameters
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.held_out import HeldOut
from learnsym.objectives.choosers.levels import frozen, predicting
from learnsym.objectives.choosers.weighting import Weighting, gradient, unregistered
from learnsym.parts import device_of

COPIES = 4
"""Transformed copies per held-out example, unless something else is said."""


@dataclass(frozen=True, kw_only=True)
class HeldOutLoss(Chooser):
    """The loss on the validation examples, on which the network is not trained.

    Parameters of symmetry follow its gradient, see `objectives.Bilevel`; weights in the loss grow while a smaller
    penalty also means a smaller held-out loss, see `objectives.ValidationWeights`.
    """

    name: Literal["validation"] = "validation"
    """Chooser of the degree of symmetry."""
    batch: Annotated[int, In("[1, 65536]")] | None = None
    """Validation examples per step; None for 32. Weights in the loss see as many as the batch has."""
    copies: Copies | None = None
    """Transformed copies per validation example, 1 for strict invariance; None for 4. Only for learned augmentation."""

    label = "validation"
    note = "They follow the loss on the validation examples, of which no accuracy here is reported."

    needs = "validation examples"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """Bilevel optimisation, one step of each level at a time."""
        return Bilevel(objective, held_out, batch_size=32 if self.batch is None else self.batch, copies=self.copies)

    def weighting(self, names: Sequence[str], weight: float, shared: Sequence[nn.Parameter]) -> Weighting:
        """Weights that start at 0.1, whatever `weight` is.

        Raises:
            ValueError: for settings that such weights do not use.
        """
        for name in ("batch", "copies"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"chooser.{name}: got {getattr(self, name)}, which weights in the loss do not use: each step takes "
                    "as many validation examples as the batch has, one copy of each; leave it out"
                )
        return ValidationWeights(names, shared)


class Bilevel(nn.Module):
    """An objective whose symmetry parameters are chosen by held-out examples, one step of each level at a time.

        weights              follow  grad of  task(f, x, y)                    on the batch
        symmetry parameters  follow  grad of  task(f_K, x', y') + Σ terms(f)   on held-out examples

    where `f_K` averages over `copies` draws of learned augmentations. The training loss alone narrows a distribution
    for as long as the network is still being fitted; a held-out loss does not, and with several copies it also sees
    what averaging gains. With one copy it asks for strict invariance: each draw alone must keep the answer. In the
    held-out pass batch norm and dropout are those of evaluation. This is the first-order form of bilevel optimisation:
    how the weights would answer to other symmetry parameters is left out.

    A model in evaluation has the objective itself.

    Reference: Liu, Simonyan, Yang, "DARTS" (2019), arXiv 1806.09055, first-order variant; for distributions over
    transformations our own.

    Args:
        objective: with the terms of all learners; used for both levels.
        held_out: inputs, floating, and targets that the weights never see and that no result is reported on.
        batch_size: held-out examples per step, of all processes together.
        copies: transformed copies per held-out example; None for 4, which only learned augmentations use.

    Raises:
        ValueError: when `batch_size` or `copies` is below 1, or the inputs are not floating; in training, when the
            model has no symmetry parameters, no examples are held out, or nothing uses `copies`.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        >>> model = ls.augment.Augmented(net, ls.symmetry_by_name("rotation2d"))
        >>> held_out = torch.rand(9, 1, 8, 8), torch.arange(9) % 3
        >>> objective = ls.objectives.Bilevel(ls.objectives.Augerino(nn.functional.cross_entropy), held_out)
        >>> sorted(objective(model, (torch.rand(2, 1, 8, 8), torch.tensor([0, 2]))).parts)
        ['held_out', 'regulariser', 'task']
    """

    def __init__(
        self, objective: Objective, held_out: Batch | None, *, batch_size: int = 32, copies: int | None = None
    ) -> None:
        super().__init__()
        if copies is not None and copies < 1:
            raise ValueError(f"copies: got {copies}, must be >= 1; one copy is the fewest")
        self.objective = objective
        self.held_out = HeldOut(held_out, batch_size)
        self.copies = copies

    def forward(self, model: nn.Module, batch: Any) -> Loss:  # noqa: ANN401  whatever the loader gives
        """The losses of both levels, whose gradients do not mix."""
        if not model.training:
            return self.objective(model, batch)
        own = {id(p) for p in symmetry_parameters(model)}
        if not own:
            raise ValueError(
                f"model: {type(model).__name__} has no symmetry parameters that held-out examples could choose; train "
                "with the objective inside of Bilevel, or take a layer that has some, such as augment.Augmented"
            )
        with frozen(p for p in model.parameters() if id(p) in own):
            trained = self.objective(model, batch)
        with frozen(p for p in model.parameters() if id(p) not in own), predicting(model, self.copies, COPIES):
            held_out = self.objective(model, self.held_out.drawn(device_of(batch[0])))
        parts = {**held_out.parts, "held_out": held_out.parts["task"], "task": trained.parts["task"]}
        return Loss(trained.total + held_out.total, parts)


class ValidationWeights(Weighting):
    """Weights that grow while a smaller penalty also means a smaller loss on held-out examples, and fall otherwise.

    One step of descent along `-w_k ∇penalty_k` changes the held-out loss in proportion to `-w_k ∇task · ∇penalty_k`, so

        log w_k ← log w_k + rate · c_k,    c_k = cosine of ∇task and ∇penalty_k, as running means

    is descent of that loss in the weights (one-step bilevel optimisation). A network that breaks a symmetry to fit has
    the two gradients opposed, and the weight goes to its floor; a penalty that only keeps the network from fitting
    noise has them aligned.

    It sees one step ahead, and neither sizes nor the loss itself: penalties far larger than the task can hold a network
    where nothing is opposed any more. So compare the held-out loss with that of a plain twin. In the experiment
    `motion_capture`, where all examples head one way, every weight rises and the loss is twenty times worse.

    Reference: Liu, Simonyan, Yang, "DARTS" (2019), arXiv 1806.09055, for the one-step form; for penalties our own.

    Args:
        names: of the penalties.
        shared: parameters in which gradients are compared, usually those of the last layer.
        rate: of the logarithms, per step.
        start: weights at the start.
        floor: smallest weight, which stands for "ruled out".
        ceiling: largest weight.
        memory: number of steps over which gradients' products run.

    Raises:
        ValueError: without shared parameters, or unless `0 < floor <= start <= ceiling`.
    """

    unit = "1"
    needs_held_out = True

    def __init__(
        self,
        names: Sequence[str],
        shared: Sequence[nn.Parameter],
        rate: float = 0.03,
        start: float = 0.1,
        floor: float = 1e-3,
        ceiling: float = 1.0,
        memory: int = 30,
    ) -> None:
        super().__init__(names, start)
        if not 0 < floor <= start <= ceiling or not rate > 0 or memory < 1:
            raise ValueError(
                f"rate, start, floor, ceiling, memory: got {rate}, {start}, {floor}, {ceiling}, {memory}, must be "
                "positive with floor <= start <= ceiling"
            )
        self._shared = unregistered(shared)
        self.rate = rate
        self.floor = floor
        self.ceiling = ceiling
        self.memory = memory
        self.products: Tensor
        self.register_buffer("products", torch.zeros(3, len(self.names)))

    def update(self, task: Tensor, penalties: Float[Tensor, "K"]) -> None:
        wanted = gradient(task, self._shared[0])
        gradients = torch.stack([gradient(penalty, self._shared[0]) for penalty in penalties])
        squares = wanted.square().sum().expand(len(gradients))
        now = torch.stack([gradients @ wanted, squares, gradients.square().sum(1)])
        self.products.lerp_(now, 1 / self.memory)
        cosine = self.products[0] / (self.products[1] * self.products[2]).sqrt().clamp(min=1e-30)
        self.weights.copy_((self.weights * (self.rate * cosine).exp()).clamp(self.floor, self.ceiling))

    def estimates(self) -> list[float]:
        """Where the logarithm of each weight lies between floor (0, ruled out) and ceiling (1, as good as labels)."""
        width = math.log(self.ceiling / self.floor)
        return ((self.weights / self.floor).log() / width if width else self.weights).tolist()
