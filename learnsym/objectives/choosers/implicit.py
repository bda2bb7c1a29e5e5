"""The loss on held-out examples as the chooser, with the answer of the weights: implicit hypergradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from learnsym._processes import processes
from learnsym._settings import In, Positive
from learnsym.learners import symmetry_parameters
from learnsym.objectives._objective import Batch, Loss, Objective
from learnsym.objectives.choosers._chooser import Chooser
from learnsym.objectives.choosers.held_out import HeldOut
from learnsym.objectives.choosers.levels import predicting
from learnsym.parts import device_of

ORDER, STEP = 20, 0.01
"""Terms of the Neumann series after the first, and its step, unless something else is said; those of Yeh et al."""


@dataclass(frozen=True, kw_only=True)
class ImplicitHeldOutLoss(Chooser):
    """The loss on the validation examples, with how the weights answer to the symmetry parameters.

    See `objectives.ImplicitBilevel`.
    """

    name: Literal["implicit"] = "implicit"
    """Chooser of the degree of symmetry."""
    batch: Annotated[int, In("[1, 65536]")] | None = None
    """Validation examples per step; None for 32."""
    order: Annotated[int, In("[0, 1000]")] = ORDER
    """Terms of the Neumann series after the first."""
    step: Positive = STEP
    """Step of the Neumann series, below 2 over the largest curvature of the training loss."""

    label = "implicit"
    note = "They follow the loss on the validation examples, of which no accuracy here is reported."
    needs = "validation examples"

    def over(self, objective: Objective, held_out: Batch | None, steps: int = 1, examples: int = 1) -> Objective:
        """Bilevel optimisation, one step of each level at a time, with implicit hypergradients."""
        batch = 32 if self.batch is None else self.batch
        return ImplicitBilevel(objective, held_out, batch_size=batch, order=self.order, step=self.step)


class ImplicitBilevel(nn.Module):
    """An objective whose symmetry parameters follow the held-out loss at the weights that answer to them.

        weights ψ                follow  ∂_ψ L_train
        symmetry parameters φ    follow  ∂_φ L_val - ∂²_φψ L_train · p,    p ≈ (∂²_ψψ L_train)⁻¹ ∂_ψ L_val

    `L` is the objective with the terms of all learners, on the batch and on held-out examples. The second term is how
    the minimum `ψ*(φ)` moves (implicit function theorem); the inverse is a Neumann series, see `neumann_solve`. Each
    call is one step of each level: weights go on from where they are. The theorem holds at the minimum, so that weights
    have to be faster than symmetry parameters. In the held-out pass batch norm and dropout are those of evaluation.

    `Bilevel` leaves the second term out. A step costs about `order + 4` gradients, and every operation of the model has
    to be differentiable twice, which resampling of images is not.

    A model in evaluation has the objective itself.

    References: Lorraine, Vicol, Duvenaud, "Optimizing millions of hyperparameters by implicit differentiation" (2020),
    arXiv 1911.02590; for learned sharing Yeh et al. (2022), arXiv 2204.03640.

    Args:
        objective: with the terms of all learners; used for both levels.
        held_out: inputs, floating, and targets that the weights never see and that no result is reported on.
        batch_size: held-out examples per step, of all processes together.
        order, step: of the Neumann series.

    Raises:
        ValueError: in several processes, when a number is out of range, or the inputs are not floating; in training,
            when the model has no symmetry parameters, or no examples are held out.

    Example:
        >>> net = ls.relax.sharing.SharedLinear(3, 1)
        >>> objective = ls.objectives.Regularised(ls.objectives.Supervised(ls.objectives.mse))
        >>> objective = ls.objectives.ImplicitBilevel(objective, (torch.rand(9, 3), torch.rand(9, 1)))
        >>> sorted(objective(net, (torch.rand(4, 3), torch.rand(4, 1))).parts)
        ['held_out', 'sharing', 'task']
    """

    def __init__(
        self,
        objective: Objective,
        held_out: Batch | None,
        *,
        batch_size: int = 32,
        order: int = ORDER,
        step: float = STEP,
    ) -> None:
        super().__init__()
        _check_series(order, step)
        # products of curvatures and gradients of parts are not parts of the product of the whole
        if processes() > 1:
            raise ValueError("chooser.name: got implicit in several processes, it works in one; use one")
        self.objective = objective
        self.held_out = HeldOut(held_out, batch_size)
        self.order, self.step = order, step

    def forward(self, model: nn.Module, batch: Any) -> Loss:  # noqa: ANN401  whatever the loader gives
        """The losses of both levels; each parameter has the gradient of its own level."""
        if not model.training:
            return self.objective(model, batch)
        chosen = [p for p in symmetry_parameters(model) if p.requires_grad]
        if not chosen:
            raise ValueError(
                f"model: {type(model).__name__} has no symmetry parameters that held-out examples could choose; train "
                "with the objective inside of ImplicitBilevel, or take a layer that has some"
            )
        known = {id(p) for p in chosen}
        weights = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
        trained = self.objective(model, batch)
        with predicting(model, None, 1):
            held_out = self.objective(model, self.held_out.drawn(device_of(batch[0])))
        of_weights = gradients(trained.total, weights, create_graph=True)
        direct = gradients(held_out.total, [*chosen, *weights])
        # ∂_ψ L_val -> p
        p = neumann_solve(of_weights, weights, direct[len(chosen) :], self.order, self.step)
        # p -> ∂²_φψ L_train p
        answer = gradients(_inner(of_weights, p), chosen)
        hypergradient = [first - second for first, second in zip(direct, answer, strict=False)]
        total = (trained.total + held_out.total).detach()
        total = total + _with_gradient(weights, of_weights) + _with_gradient(chosen, hypergradient)
        parts = {**held_out.parts, "held_out": held_out.parts["task"], "task": trained.parts["task"]}
        return Loss(total, parts)


def neumann_solve(
    gradient: Sequence[Tensor], weights: Sequence[Tensor], v: Sequence[Tensor], order: int = ORDER, step: float = STEP
) -> list[Tensor]:
    """`H⁻¹ v` for the Hessian `H` of a loss, by a Neumann series of Hessian-vector products.

        H⁻¹ v ≈ α Σ_{j=0}^{J} (1 - α H)^j v

    It converges when `0 < α h < 2` for all eigenvalues `h`; after `J` terms directions with `h < 1 / (α J)` are damped.
    The factor `α` in front, which the released code of Yeh et al. leaves out, makes the sum an inverse.

    Reference: Lorraine, Vicol, Duvenaud (2020), arXiv 1911.02590.

    Args:
        gradient: of the loss in the weights, with a graph.
        weights: at which it was taken.
        v: in the shapes of the weights.
        order: `J`, at least 0.
        step: `α`, positive.

    Raises:
        ValueError: when `order` or `step` is out of range.

    Example:
        >>> w = torch.zeros(2, requires_grad=True)
        >>> loss = (torch.tensor([1.0, 2.0]) * w.square()).sum()
        >>> g = torch.autograd.grad(loss, w, create_graph=True)
        >>> ls.objectives.choosers.neumann_solve(g, [w], [torch.ones(2)], order=200, step=0.2)
        [tensor([0.5000, 0.2500])]
    """
    _check_series(order, step)
    power, total = list(v), list(v)
    for _ in range(order):
        # v -> H v -> (1 - α H) v
        curved = gradients(_inner(gradient, power), weights, retain_graph=True)
        power = [each - step * bent for each, bent in zip(power, curved, strict=True)]
        total = [each + more for each, more in zip(total, power, strict=True)]
    return [step * each for each in total]


def gradients(
    value: Tensor, parameters: Sequence[Tensor], create_graph: bool = False, retain_graph: bool = True
) -> list[Tensor]:
    """The gradient in each parameter, zeros in those that the value does not depend on."""
    if not value.requires_grad:
        return [torch.zeros_like(p) for p in parameters]
    found = torch.autograd.grad(
        value, list(parameters), create_graph=create_graph, retain_graph=retain_graph, allow_unused=True
    )
    return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]


def _inner(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """`<a, b>` with no gradient in `b`."""
    return torch.stack([(x * y.detach()).sum() for x, y in zip(a, b, strict=True)]).sum()


def _with_gradient(parameters: Sequence[Tensor], gradient: Sequence[Tensor]) -> Tensor:
    """0, with a given gradient in each parameter."""
    inner = _inner(parameters, gradient)
    return inner - inner.detach()


def _check_series(order: int, step: float) -> None:
    if order < 0:
        raise ValueError(f"order: got {order}, must be >= 0; 20 is usual")
    if not step > 0:
        raise ValueError(f"step: got {step}, must be positive; take less than 2 over the largest curvature")
