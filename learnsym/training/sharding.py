"""A network divided among the processes of `torchrun` while it trains: FSDP2 on a working copy of it.

Each process keeps the whole network, as it is everywhere outside of a step: scores, checkpoints and degrees know
nothing of shards. What a step works on is a copy whose weights, gradients and moments are divided, so that a process
holds the weights once and an equal part of the rest, where data parallelism alone holds all of it. Zhao et al. (2023),
arXiv 2304.11277.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed import all_reduce
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from learnsym.augment import Augmented, Plain
from learnsym.training import distributed
from learnsym.training.global_batch_norm import BatchNorm

REMEDY = "leave out train.sharded"


class Sharded:
    """The working copy of the network of a model, and what passes between the two.

    Args:
        model: `augment.Augmented` or `augment.Plain`, on the device where it is trained; what is outside of its
            network, such as the law of the elements, stays whole, as do parameters without axes.

    Raises:
        ValueError: for another model, or a network that shares a parameter between modules or has a batch norm.
    """

    def __init__(self, model: nn.Module) -> None:
        if not isinstance(model, Augmented | Plain):
            raise ValueError(f"train.sharded: got a model {type(model).__name__}, must be an Augmented; {REMEDY}")
        _check_net(model.net)
        self.model, self.net = model, model.net
        self.copy = copy.deepcopy(model.net).train()
        mesh = init_device_mesh(next(self.copy.parameters()).device.type, (distributed.world(),))
        whole = {parameter for parameter in self.copy.parameters() if not parameter.ndim}
        for block in [*_blocks(self.copy), self.copy]:
            fully_shard(block, mesh=mesh, ignored_params=whole)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The copy is the network of the model in the block."""
        self.model.net = self.copy
        try:
            yield
        finally:
            self.model.net = self.net

    @torch.no_grad()
    def gather(self) -> None:
        """Bring the network up to date; all processes do it together."""
        own = self.net.state_dict()
        for name, value in self.copy.state_dict().items():
            own[name].copy_(_whole(value))

    @torch.no_grad()
    def give_moments(self, state: dict[str, Any], optimiser: torch.optim.Optimizer) -> None:
        """Divide the state of an optimiser of the whole network, and give it to that of the copy."""
        parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        divided = {
            index: {name: _divided(value, parameters[index]) for name, value in values.items()}
            for index, values in state["state"].items()
        }
        optimiser.load_state_dict({**state, "state": divided})
        for group in optimiser.param_groups:
            group["foreach"] = False  # whole and divided parameters do not go into one call

    def gathered(self, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
        """The state of an optimiser as that of whole parameters; all processes do it together."""
        state = optimiser.state_dict()
        whole = {
            index: {name: _whole(value) for name, value in values.items()} for index, values in state["state"].items()
        }
        return {"state": whole, "param_groups": [{**group, "foreach": None} for group in state["param_groups"]]}

    @torch.no_grad()
    def settle(self, gradients: list[Tensor], largest: float | None) -> None:
        """Average gradients over processes, and scale them to a norm, of all together, of at most `largest`."""
        for gradient in gradients:
            if not isinstance(gradient, DTensor):  # divided ones are averages already
                all_reduce(gradient)
                gradient /= distributed.world()
        if largest is None:
            return
        norms = torch.stack([_whole(torch.linalg.vector_norm(gradient)) for gradient in gradients])
        factor = (largest / (norms.norm() + 1e-6)).clamp(max=1.0)  # as torch.nn.utils does it
        for gradient in gradients:
            local(gradient).mul_(factor)


def local(value: Tensor) -> Tensor:
    """The part of a tensor that lies in this process, in the same memory."""
    return value.to_local() if isinstance(value, DTensor) else value


def _whole(value: Any) -> Any:  # noqa: ANN401  whatever a state holds
    return value.full_tensor() if isinstance(value, DTensor) else value


def _divided(value: Any, parameter: nn.Parameter) -> Any:  # noqa: ANN401  whatever a state holds
    if not isinstance(parameter, DTensor) or not isinstance(value, Tensor) or value.shape != parameter.shape:
        return value
    return distribute_tensor(value.to(parameter.device), parameter.device_mesh, parameter.placements)


def _check_net(net: nn.Module) -> None:
    names = [name for name, module in net.named_modules() if isinstance(module, BatchNorm)]
    if names:
        raise ValueError(f"train.sharded: the network has the batch norm {names[0]}; {REMEDY}, or take another norm")
    if len(list(net.named_parameters(remove_duplicate=False))) > len(list(net.parameters())):
        raise ValueError(f"train.sharded: the network has a parameter that several modules share; {REMEDY}")


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    """The outermost modules that stand in a list or a sequence, and have parameters: one is whole at a time."""
    for child in module.children():
        if isinstance(module, nn.ModuleList | nn.Sequential) and any(True for _ in child.parameters()):
            yield child
        else:
            yield from _blocks(child)
