"""The weights of many modules of one shape as one matrix, a row each, and one forward pass through all of them."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.nn.modules.dropout import _DropoutNd

from learnsym.objectives.losses import LossFunction
from learnsym.training.stacked_layers import SideBySide, without_writes


class Stacked:
    """M modules of one shape with P trainable numbers each; `weights (M, P)` is to be updated in place.

    The forward pass is the one of the first module, vectorised over members; frozen parameters and buffers are stacked,
    too. One matrix for all parameters lets an update be a handful of operations, whatever the number of layers.

    Raises:
        ValueError: when the modules differ in more than numbers, share parameters, have nothing to train, or draw
            random numbers or keep running statistics in training.
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        check_members(models)
        self.models = [model.train() for model in models]
        self.base = copy.deepcopy(models[0])
        without_writes(self.base)
        parameters, self.fixed = stack_module_state(self.models)
        trainable = {name: p.detach() for name, p in parameters.items() if p.requires_grad}
        self.fixed |= {name: p for name, p in parameters.items() if name not in trainable}
        self.weights = torch.cat([p.reshape(len(p), -1) for p in trainable.values()], 1)
        sizes = [p[0].numel() for p in trainable.values()]
        self.views = {
            name: part.view(p.shape)
            for (name, p), part in zip(trainable.items(), self.weights.split(sizes, 1), strict=True)
        }
        self.leaves = {name: view.detach().requires_grad_() for name, view in self.views.items()}

    def losses(self, loss_fn: LossFunction, x: Tensor, y: Tensor) -> Float[Tensor, "M"]:
        """The loss of each member on its own batch: `x (M, B, ...)`, `y (M, B, ...)`."""

        def loss(leaves: dict[str, Tensor], fixed: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
            return loss_fn(functional_call(self.base, (leaves, fixed), (x,)), y)

        try:
            with SideBySide():
                return torch.vmap(loss)(self.leaves, self.fixed, x, y)
        except RuntimeError as error:
            if "random operation" not in str(error):
                raise
            raise ValueError("models: draw random numbers in training, must not; train each with fit") from error

    def gradient(self, losses: Float[Tensor, "M"]) -> Float[Tensor, "M P"]:
        """The gradient of each member's loss with respect to its own row of weights."""
        gradients = torch.autograd.grad(losses.sum(), list(self.leaves.values()), allow_unused=True)
        for name, part in zip(self.leaves, gradients, strict=True):
            if part is None:
                raise ValueError(f"models: the loss does not depend on {name!r}; freeze it with requires_grad_(False)")
        return torch.cat([part.reshape(len(part), -1) for part in gradients], 1)

    @torch.no_grad()
    def write_back(self) -> None:
        """Copy each row of weights into its module."""
        for name, view in self.views.items():
            for model, own in zip(self.models, view, strict=True):
                model.get_parameter(name).copy_(own)


def check_members(models: Sequence[nn.Module]) -> None:
    """Refuse modules that cannot be trained as one; see `Stacked`."""
    if not models:
        raise ValueError("models: got none, must be at least one module")
    shapes = [_shape(model) for model in models]
    for m, shape in enumerate(shapes):
        if shape != shapes[0]:
            pairs = itertools.zip_longest(shapes[0], shape, fillvalue="nothing")
            a, b = next((a, b) for a, b in pairs if a != b)
            raise ValueError(f"models: member {m} has {b} where member 0 has {a}, must be of one shape; fit it alone")
    owned = [id(p) for model in models for p in model.parameters()]
    if len(set(owned)) < len(owned):
        raise ValueError("models: members share parameters, must each have their own; use copy.deepcopy")
    dtypes = {p.dtype for p in models[0].parameters() if p.requires_grad}
    if len(dtypes) != 1:
        named = ", ".join(sorted(map(str, dtypes))) or "nothing"
        raise ValueError(f"models: trainable are {named}, must be parameters of one dtype; see requires_grad_ and to")
    for name, module in models[0].named_modules():
        _check_module(name, module)


def _check_module(name: str, module: nn.Module) -> None:
    fault: str | None = None
    if any(key.startswith("running_") for key, _ in module.named_buffers(recurse=False)):
        fault = "keeps running statistics"
    elif isinstance(module, _DropoutNd) and module.p > 0:
        fault = "draws random numbers in training"
    elif getattr(module, "over_elements", False):
        fault = "says how likely group elements are"
    if fault:
        where = f"module {name!r} ({type(module).__name__})"
        raise ValueError(f"models: {where} {fault}, which an ensemble must not; train each member with fit")


def _shape(model: nn.Module) -> list[Any]:
    """All that members must have in common, in an order in which a difference is easy to read."""
    modules = [(name, type(module).__name__, module.extra_repr()) for name, module in model.named_modules()]
    tensors = itertools.chain(model.named_parameters(), model.named_buffers())
    state = [(name, tuple(t.shape), t.dtype, str(t.device)) for name, t in tensors]
    trainable = [(name, "trainable" if p.requires_grad else "frozen") for name, p in model.named_parameters()]
    return [type(model), *modules, *state, *trainable]
