"""The first run of a model on its examples: whether it takes them, and what it says."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from learnsym._modes import evaluating
from learnsym._python_file import required_inputs
from learnsym._reasons import reason_of
from learnsym.measure._probe import Output, tensor_of
from learnsym.parts import Whole, chosen, described, examples, mapped, split, tensors_in
from learnsym.report.card.examples import Examples


def check_takes(model: nn.Module, x: Whole, output: Output | None) -> None:
    """Run the model on two examples.

    Raises:
        ValueError: when it fails, or returns something else than one tensor; the sentence says which remedy fits.
    """
    two = mapped(torch.clone, chosen(x, slice(0, 2)))  # which the model may overwrite
    try:
        with evaluating(model), torch.no_grad():
            returned = model(two)
    except Exception as error:  # whatever the forward pass of a user raises
        raise ValueError(_refusal(model, x, error)) from error
    if output is None and not isinstance(returned, Tensor):
        raise ValueError(f"output: the model returns {described(returned)}, must be one tensor; name one with --output")
    tensor_of(returned, examples(two), output)


def outputs_on(model: nn.Module, on: Examples, x: Whole, output: Output | None, batch_size: int) -> Tensor:
    """The outputs on all examples.

    Raises:
        ValueError: when one of them is not finite; the example is named by its row in the source.
    """
    with evaluating(model), torch.no_grad():
        parts = (mapped(torch.clone, part) for part in split(x, batch_size))
        outputs = torch.cat([tensor_of(model(part), examples(part), output) for part in parts])
    bad = (~outputs.reshape(len(outputs), -1).isfinite().all(1)).nonzero()[:, 0]
    if len(bad):
        first = f"example {on.row(int(bad[0]))} of {on.name}"
        raise ValueError(
            f"model: its output for {first} is not finite ({len(bad)} of {len(outputs)} examples); repair the model or "
            "leave these examples out"
        )
    return outputs


def _refusal(model: nn.Module, x: Whole, error: Exception) -> str:
    needed = required_inputs(model.forward)
    if len(needed) != 1 and not isinstance(model, torch.jit.ScriptModule):
        names = f" ({', '.join(needed)})" if needed else ""
        remedy = "give a module that fixes the others"
        if not isinstance(x, Tensor):
            remedy = f"or one for each part of x, {described(x)}; name them alike"
        return f"model: its forward takes {len(needed)} inputs{names}, must take one; {remedy}"
    given = {tensor.dtype for _, tensor in tensors_in(x) if tensor.is_floating_point()}
    weights = {p.dtype for p in model.parameters() if p.is_floating_point()} - given
    if weights and given:
        inputs = _names(given)
        return (
            f"model: its weights are {_names(weights)} and x is {inputs} ({reason_of(error)}); give it with weights in "
            f"{inputs}, by model.to(torch.{inputs})"
        )
    shapes = ", ".join(f"{key} {tuple(part.shape[1:])}".strip() for key, part in tensors_in(x))
    return (
        f"data: the model cannot take inputs of shape {shapes} ({reason_of(error)}); give other data or a size, or "
        "repair the model"
    )


def _names(dtypes: set[torch.dtype]) -> str:
    return " and ".join(sorted(str(dtype).removeprefix("torch.") for dtype in dtypes))
