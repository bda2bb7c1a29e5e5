"""How every measure reads a model: any mode, any batch size, any kind of output, and the model left as it was found."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import torch
from torch import Tensor, nn

Model = Callable[[Tensor], object]
Output = Callable[[object], Tensor]
"""Takes the tensor to be measured out of what a model returns."""


def outputs_of(model: Model, x: Tensor, output: Output | None = None, batch_size: int = 64) -> Tensor:
    """The outputs of a model, `batch_size` examples at a time, without gradients.

    Args:
        model: any callable of a batch; use within `evaluating`.
        x: examples `(B, ...)`.
        output: takes the tensor out of a tuple, a dictionary or an object; None for models that return a tensor.
        batch_size: examples per call.

    Raises:
        ValueError: when the model lies on another device, returns no tensor of one row per example, or a value that
            is not finite (the example is named).
    """
    check_probe(model, x, batch_size)
    with torch.no_grad():
        outputs = torch.cat([tensor_of(model(part), len(part), output) for part in x.split(batch_size)])
    check_outputs(outputs)
    return outputs


def check_probe(model: Model, x: Tensor, batch_size: int = 1) -> None:
    """Raise ValueError when there are no examples, or they and the model lie on different devices."""
    if len(x) == 0:
        raise ValueError("x: got no examples; measure at least one")
    check_batch_size(batch_size)
    if not isinstance(model, nn.Module):
        return
    weight = next(chain(model.parameters(), model.buffers()), None)
    if weight is not None and weight.device != x.device:
        raise ValueError(f"x: is on {x.device} and the model on {weight.device}; move one of them with .to()")


def check_batch_size(batch_size: int) -> None:
    """Raise ValueError for empty batches."""
    if batch_size < 1:
        raise ValueError(f"batch_size: got {batch_size}, must be >= 1; 64 is usual")


def tensor_of(returned: object, examples: int, output: Output | None = None) -> Tensor:
    """The tensor in what a model returned, one row per example."""
    chosen = returned if output is None else output(returned)
    if not isinstance(chosen, Tensor):
        keys = f" with keys {', '.join(map(str, chosen))}" if isinstance(chosen, dict) else ""
        raise ValueError(
            f"output: the model returns a {type(chosen).__name__}{keys}, must be one tensor; "
            "pass output=lambda returned: returned[...] to choose one"
        )
    if chosen.ndim == 0 or len(chosen) != examples:
        raise ValueError(
            f"output: got shape {tuple(chosen.shape)} for {examples} examples, must have one row per example; "
            "measure before any reduction over the batch"
        )
    return chosen


def real_tensor_of(returned: object, examples: int, output: Output | None = None) -> Tensor:
    """The same, of which a derivative is taken."""
    tensor = tensor_of(returned, examples, output)
    if not tensor.is_floating_point():
        raise ValueError(f"output: got {tensor.dtype}, must be floating point to have a derivative; measure the scores")
    return tensor


def check_outputs(outputs: Tensor, first: int = 0) -> None:
    """Raise ValueError for outputs that are not finite; `first` is the index of the first example among all."""
    bad = ~outputs.reshape(len(outputs), -1).isfinite().all(1)
    if bad.any():
        index = first + int(bad.nonzero()[0])
        raise ValueError(
            f"model: its output for example {index} is not finite ({int(bad.sum())} of {len(bad)} examples); "
            "repair the model or leave these examples out"
        )


def in_units_of(errors: Tensor, scale: Tensor) -> Tensor:
    """Errors over how far outputs of unrelated examples are apart; no error is 0 on any scale.

    Raises:
        ValueError: when there is an error, and outputs are the same for all examples.
    """
    if not scale and errors.any():
        raise ValueError(
            "model: its output is the same for all examples, so that its error has no scale; measure an output that "
            "differs between examples"
        )
    return torch.where(errors == 0, errors, errors / scale)
