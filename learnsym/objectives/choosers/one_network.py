"""The loss of one network that stands for many equal ones: all of them get its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from learnsym.objectives._objective import Batch, Loss, Objective


class _Pass(nn.Module):
    """An objective of a member as one forward pass, in which tensors are put in the places of parameters."""

    def __init__(self, model: nn.Module, objective: Callable[[nn.Module, Any], Loss]) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, batch: Batch) -> Loss:
        return self.objective(self.model, batch)


def together(members: nn.ModuleList, objective: Objective, batch: Batch, h: int) -> Loss:
    """The loss of one network under the law of hypothesis `h`; all networks get its gradient and stay equal."""
    nets = [member.net for member in members]
    own = [dict(net.named_parameters()) for net in nets]  # type: ignore[union-attr]
    shared = {f"model.net.{name}": _with_gradient_to([each[name] for each in own]) for name in own[0]}
    buffers = {f"model.net.{name}": value for name, value in nets[0].named_buffers()}  # type: ignore[union-attr]
    return torch.func.functional_call(_Pass(members[h], objective), {**shared, **buffers}, (batch,))


def _with_gradient_to(parameters: list[Tensor]) -> Tensor:
    """The value of equal parameters, whose gradient all of them get: `p_0 + Σ_h (p_h - p_h)`."""
    first = parameters[0].detach()
    if not parameters[0].requires_grad:
        return first
    for parameter in parameters:
        first = first + (parameter - parameter.detach())
    return first
