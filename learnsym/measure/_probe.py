"""What measures take: models, examples and outputs, and the sentences that refuse others."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import torch
from torch import Tensor, nn

from learnsym import _escnn
from learnsym._modes import module_of
from learnsym.parts import Whole, described, examples, tensors_in

Model = Callable[[Whole], object]
Output = Callable[[object], Tensor]
"""Takes the tensor to be measured out of what a model returns."""


def check_examples(x: Whole) -> None:
    """Raise ValueError for what holds no tensor, one that is not dense, or different numbers of examples."""
    tensors = [tensor for _, tensor in tensors_in(x)]
    if not tensors:
        raise ValueError(f"x: got {described(x)}, must be a tensor or hold some; pass torch.as_tensor(x)")
    for tensor in tensors:
        if tensor.layout != torch.strided:
            raise ValueError(f"x: got a tensor of layout {tensor.layout}, must be dense; pass x.to_dense()")
    examples(x)


def check_one_tensor(x: Whole) -> None:
    """Raise ValueError for structured examples where one tensor is needed."""
    if not isinstance(x, Tensor):
        raise ValueError(f"x: got {described(x)}, must be one tensor here; give a model that fixes the other inputs")


def check_probe(model: Model, x: Whole, batch_size: int = 1) -> None:
    """Raise ValueError when there are no examples, or they and the model lie on different devices."""
    check_examples(x)
    if examples(x) == 0:
        raise ValueError("x: got no examples; measure at least one")
    check_batch_size(batch_size)
    module = module_of(model)
    if module is None:
        return
    weight = next(chain(module.parameters(), module.buffers()), None)
    elsewhere = [] if weight is None else [t.device for _, t in tensors_in(x) if t.device != weight.device]
    if weight is not None and elsewhere:
        raise ValueError(f"x: is on {elsewhere[0]} and the model on {weight.device}; move one of them with .to()")


def check_layers(model: object) -> None:
    """Raise ValueError for TorchScript, whose layers run out of sight."""
    module = module_of(model)
    scripts = [] if module is None else [m for m in module.modules() if isinstance(m, torch.jit.ScriptModule)]
    if scripts:
        raise ValueError(
            "model: is TorchScript or has modules of torch.jit, whose layers cannot be watched; pass the model that it "
            "was made from, or measure its output alone"
        )


def is_exported(module: nn.Module) -> bool:
    """Whether a module is a program of torch.export."""
    return isinstance(module, torch.fx.GraphModule) and hasattr(module, "range_constraints")


def check_not_exported(model: nn.Module) -> None:
    """Raise ValueError for a program of torch.export, in which there are no layers any more."""
    if any(map(is_exported, model.modules())):
        raise ValueError(
            "model: is a program of torch.export, which has no layers any more; pass the model that it was made from, "
            "or measure its output alone"
        )


def check_batch_size(batch_size: int) -> None:
    """Raise ValueError for empty batches."""
    if batch_size < 1:
        raise ValueError(f"batch_size: got {batch_size}, must be >= 1; 64 is usual")


def tensor_of(returned: object, examples: int, output: Output | None = None) -> Tensor:
    """The tensor in what a model returned, one row per example."""
    chosen = _escnn.bare(returned if output is None else output(returned))
    if not isinstance(chosen, Tensor):
        raise ValueError(
            f"output: the model returns {described(chosen)}, must be one tensor; name a part, such as output='logits', "
            "or pass a function, output=lambda returned: ..."
        )
    if chosen.ndim == 0 or len(chosen) != examples:
        raise ValueError(
            f"output: got shape {tuple(chosen.shape)} for {examples} examples, must have one row per example; "
            "measure before any reduction over the batch"
        )
    # a sparse one has no derivative and no rows to choose from
    return chosen if chosen.layout == torch.strided else chosen.to_dense()


def as_numbers(outputs: Tensor) -> Tensor:
    """Outputs in floating point of at least single precision, so that differences neither wrap round nor overflow."""
    if outputs.is_complex():
        raise ValueError(
            f"output: got {outputs.dtype}, must be real; pass output=lambda z: torch.cat([z.real, z.imag], 1)"
        )
    if outputs.is_quantized:
        outputs = outputs.dequantize()
    wide = outputs.dtype == torch.float64 or (outputs.element_size() > 2 and not outputs.is_floating_point())
    return outputs.to(torch.float64 if wide else torch.float32)


def floating(outputs: Tensor) -> Tensor:
    """Outputs of which a derivative is taken."""
    if not outputs.is_floating_point():
        raise ValueError(
            f"output: got {outputs.dtype}, must be floating point to have a derivative; measure the scores"
        )
    return outputs


def check_outputs(outputs: Tensor, first: int = 0) -> None:
    """Raise ValueError for outputs that are not finite; `first` is the index of the first example among all."""
    bad = ~outputs.reshape(len(outputs), -1).isfinite().all(1)
    if bad.any():
        index = first + int(bad.nonzero()[0])
        raise ValueError(
            f"model: its output for example {index} is not finite ({int(bad.sum())} of {len(bad)} examples); "
            "repair the model or leave these examples out"
        )
