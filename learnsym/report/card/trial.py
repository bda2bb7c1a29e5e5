"""The first run of a model on its examples: whether it takes them, and what it says."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from learnsym._modes import evaluating
from learnsym._python_file import required_inputs
from learnsym._reasons import reason_of
from learnsym.measure._probe import Output, tensor_of
from learnsym.parts import described
from learnsym.report.card.examples import Examples


def check_takes(model: nn.Module, x: Tensor, output: Output | None) -> None:
    """Run the model on two examples.

    Raises:
        ValueError: when it fails, or returns something else than one tensor; the sentence says which remedy fits.
    """
    try:
        with evaluating(model), torch.no_grad():
            returned = model(x[:2].clone())  # which the model may overwrite
    except Exception as error:  # whatever the forward pass of a user raises
        raise ValueError(_refusal(model, x, error)) from error
    if output is None and not isinstance(returned, Tensor):
        raise ValueError(f"output: the model returns {described(returned)}, must be one tensor; name one with --output")
    tensor_of(returned, len(x[:2]), output)


def outputs_on(model: nn.Module, examples: Examples, x: Tensor, output: Output | None, batch_size: int) -> Tensor:
    """The outputs on all examples.

    Raises:
        ValueError: when one of them is not finite; the example is named by its row in the source.
    """
    with evaluating(model), torch.no_grad():
        outputs = torch.cat([tensor_of(model(part.clone()), len(part), output) for part in x.split(batch_size)])
    bad = (~outputs.reshape(len(outputs), -1).isfinite().all(1)).nonzero()[:, 0]
    if len(bad):
        first = f"example {examples.row(int(bad[0]))} of {examples.name}"
        raise ValueError(
            f"model: its output for {first} is not finite ({len(bad)} of {len(x)} examples); repair the model or leave "
            "these examples out"
        )
    return outputs


def _refusal(model: nn.Module, x: Tensor, error: Exception) -> str:
    needed = required_inputs(model.forward)
    if len(needed) != 1 and not isinstance(model, torch.jit.ScriptModule):
        names = f" ({', '.join(needed)})" if needed else ""
        return (
            f"model: its forward takes {len(needed)} inputs{names}, must take one; give a module that fixes the others"
        )
    weights = sorted({str(p.dtype) for p in model.parameters() if p.is_floating_point() and p.dtype != x.dtype})
    if weights:
        dtypes = " and ".join(name.removeprefix("torch.") for name in weights)
        inputs = str(x.dtype).removeprefix("torch.")
        return (
            f"model: its weights are {dtypes} and x is {inputs} ({reason_of(error)}); give it with weights in "
            f"{inputs}, by model.to(torch.{inputs})"
        )
    return (
        f"data: the model cannot take inputs of shape {tuple(x.shape[1:])} ({reason_of(error)}); give other data or a "
        "size, or repair the model"
    )
