"""Floating-point operations of a network, layer by layer, counted and by the nominal rule of scaling studies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from learnsym.nets.cost.counter import FlopCounter, Place
from learnsym.nets.cost.layers import Layers
from learnsym.nets.cost.rules import nominal_forward
from learnsym.nets.cost.untouched import untouched
from learnsym.parts import Whole, device_of, examples, mapped, tensors_in

Loss = Callable[..., Tensor]


@dataclass(frozen=True, kw_only=True)
class LayerFlops:
    """FLOPs of one layer for one example."""

    layer: str
    """Name of the module, empty for the network itself."""
    kind: str
    """Its class."""
    inference: float
    """Counted, in evaluation mode."""
    training: float
    """Counted, forward and backward in training mode."""
    nominal: float
    """Of training by the nominal rule."""
    per_batch: float
    """Counted FLOPs of training that are done once for a batch of any size; `training` has this over `batch_size`."""


@dataclass(frozen=True, kw_only=True)
class Flops:
    """FLOPs of a network for one example of a batch of `batch_size`; a cloud or an image is one example."""

    rows: tuple[LayerFlops, ...]
    """Layers that have any, in the order of `named_modules`."""
    batch_size: int
    without_use: tuple[str, ...]
    """Matrices of weights that took part in no product, such as maps of factors: the nominal rule sees none of them."""

    @property
    def inference(self) -> float:
        """Counted FLOPs of one evaluated example."""
        return math.fsum(row.inference for row in self.rows)

    @property
    def training(self) -> float:
        """Counted FLOPs of training on one example, forward and backward."""
        return math.fsum(row.training for row in self.rows)

    @property
    def nominal(self) -> float:
        """FLOPs of training on one example by the nominal rule."""
        return math.fsum(row.nominal for row in self.rows)


def flops(model: nn.Module, *inputs: Whole, batch_size: int | None = None, loss: Loss | None = None) -> Flops:
    """FLOPs of a network per example: counted in inference and training, and by the nominal rule.

        counted:    2 for each multiplication with its addition that `torch.utils.flop_counter` sees
        nominal:    6 for each element of a matrix of weights and each time it is used on data

    Both are found by running the network forward and backward, so that tokens, pixels, transformed copies and layers
    that are used twice count as often as they are used. Nominal is three times the forward product; expanded kernels
    of steerable and group convolutions count as the dense filters they are, linear maps of multivectors as dense maps
    of 16 components (`cost.nominal_rules`). Products of data with data, as in attention, products with constants,
    biases, and what turns weights into kernels are no part of the nominal rule.

    Counted are matrix products, convolutions, attention (also on a CPU), matrices on vectors, and sampling of images;
    not elementwise work, norms, sums, softmax, sorting, Fourier transforms, decompositions and recurrent layers in one
    piece: seconds belong beside any count.

    The network is left as it was: modes, buffers, gradients and the state of random numbers.

    Reference: nominal rule: Brehmer, Behrends, de Haan, Cohen, "Does equivariance matter at scale?" (2024), arXiv
    2410.23179, after Kaplan et al. (2020), arXiv 2001.08361.

    Args:
        model: any module; inputs are moved to its device.
        inputs: what it is called with, batches `(B, ...)` or structures of them; 2 examples are enough.
        batch_size: examples among which work is shared that is done once for a batch; `B` by default.
        loss: a function of the model and its inputs to a scalar, for objectives that run the model more than once;
            by default the model runs once, with all its outputs differentiated.

    Raises:
        ValueError: for no input, an empty batch, or a batch size below 1.

    Example:
        >>> cost = ls.nets.cost.flops(nn.Sequential(nn.Linear(2, 3), nn.GELU(), nn.Linear(3, 1)), torch.rand(8, 2))
        >>> cost.inference, cost.training, cost.nominal  # nothing is differentiated with respect to the input
        (18.0, 42.0, 54.0)
    """
    count = examples(inputs[0], "inputs") if inputs else 0
    if not count:
        raise ValueError(f"inputs: got {len(inputs)} with no example, must be batches (B, ...); 2 examples are enough")
    shared_by = count if batch_size is None else batch_size
    if shared_by < 1:
        raise ValueError(f"batch_size: got {batch_size}, must be at least 1; give that of the training")
    device = next((weight.device for weight in model.parameters()), device_of(inputs[0]))
    moved = [mapped(lambda x: x.detach().to(device), each) for each in inputs]
    with untouched(model):
        evaluated, trained = _inference(model, moved), _training(model, moved, loss or _squares)
    return _table(evaluated, trained, count, shared_by)


def _squares(model: nn.Module, *inputs: Whole) -> Tensor:
    leaves = [leaf for leaf in tree_leaves(model(*inputs)) if isinstance(leaf, Tensor) and leaf.requires_grad]
    return torch.stack([leaf.abs().square().sum() for leaf in leaves]).sum() if leaves else torch.zeros(())


def _tensors(inputs: list[Whole]) -> list[Tensor]:
    return [tensor for each in inputs for _, tensor in tensors_in(each)]


def _inference(model: nn.Module, inputs: list[Whole]) -> FlopCounter:
    layers = Layers(model)
    model.eval()
    with layers.followed(), FlopCounter(layers, _tensors(inputs)) as counter, torch.no_grad():
        model(*inputs)
    return counter


def _training(model: nn.Module, inputs: list[Whole], loss: Loss) -> FlopCounter:
    layers = Layers(model)
    model.train()
    with layers.followed(), FlopCounter(layers, _tensors(inputs)) as counter, torch.enable_grad():
        value = loss(model, *inputs)
        counter.backward = True
        if value.requires_grad:
            value.backward()
    return counter


def _table(evaluated: FlopCounter, trained: FlopCounter, examples: int, shared_by: int) -> Flops:
    def each(counter: FlopCounter, layer: str) -> float:
        own, once = (counter.counted[Place(layer, shared)] for shared in (False, True))
        return own / examples + once / shared_by

    rows = [
        LayerFlops(
            layer=name,
            kind=type(module).__name__,
            inference=each(evaluated, name),
            training=each(trained, name),
            nominal=3 * nominal_forward(module, trained.uses[name]) / examples,
            per_batch=trained.counted[Place(name, True)],
        )
        for name, module in trained.layers.modules.items()
    ]
    weights = trained.layers.weights()
    matrices = [name for name, weight in weights.items() if weight.ndim > 1 and name not in trained.used]
    rows = tuple(row for row in rows if row.inference or row.training or row.nominal)
    return Flops(rows=rows, batch_size=shared_by, without_use=tuple(matrices))
