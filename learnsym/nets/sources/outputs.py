"""What a network of somebody else takes and returns: several inputs, and the part that is its output."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from learnsym import _escnn
from learnsym._modes import evaluating
from learnsym._python_file import required_inputs
from learnsym._reasons import reason_of
from learnsym.parts import Part, Whole, described, examples, tensors_in


class OutputPart(nn.Module):
    """A network, of which one part of what it returns is the output.

    Args:
        net: the network.
        part: the part, such as `Part("logits")`.
    """

    def __init__(self, net: nn.Module, part: Part) -> None:
        super().__init__()
        self.net = net
        self.part = part

    def forward(self, x: Any) -> Tensor:  # noqa: ANN401  whatever the network takes
        """The part."""
        return self.part.get(self.net(x))


class SeveralInputs(nn.Module):
    """A network on examples of several inputs: a dict or tuple, which its forward takes apart or as it is.

    Args:
        net: called with the members of a dict by name where its forward has arguments of these names, and of a tuple in
            order where it has as many.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Any) -> Any:  # noqa: ANN401  whatever the network returns
        """What the network returns."""
        if not takes_apart(self.net, x):
            return self.net(x)
        return self.net(**x) if isinstance(x, Mapping) else self.net(*x)


def takes_apart(net: nn.Module, x: Whole) -> bool:
    """Whether the forward of a network has arguments of its own for the members of a dict or tuple."""
    if not isinstance(x, Mapping | tuple):
        return False
    arguments = _arguments(net)
    if isinstance(x, Mapping):
        return set(x) <= set(arguments)
    return 1 < len(x) <= len(arguments)


def _arguments(net: nn.Module) -> list[str]:
    """Names of the arguments of the forward; none where they cannot be known, as of what TorchScript runs."""
    try:
        return list(inspect.signature(net.forward).parameters)
    except (TypeError, ValueError):
        return []


def of_several(net: nn.Module, x: Whole) -> nn.Module:
    """A network that is called with examples as they are: itself, `SeveralInputs` or `OnTensors` of it."""
    if not _escnn.takes_tensors(net):
        return _escnn.OnTensors(net)
    return SeveralInputs(net) if takes_apart(net, x) else net


def check_outputs(net: nn.Module, word: str, x: Whole, classes: int) -> None:
    """Run a network on a few examples.

    Args:
        net: the network, with one output.
        word: what errors call it.
        x: the examples.
        classes: outputs for an example, or for a pixel; 0 for any number.

    Raises:
        ValueError: when it fails, returns something else than one tensor, or its outputs are not one for each class.
    """
    y, count = _output(net, word, x), examples(x)
    wanted = (count, classes) if classes else (count,)
    if tuple(y.shape[: len(wanted)]) != wanted:
        raise ValueError(
            f"net.name: {word} gives outputs of shape {tuple(y.shape)} for {count} examples of {classes} classes, "
            f"must be ({count}, {classes}, ...); give its factory an argument classes, or make it for {classes}"
        )


def _output(net: nn.Module, word: str, x: Whole) -> Tensor:
    try:
        with evaluating(net), torch.no_grad():
            y = net(x)
    except ValueError as error:
        if str(error).startswith("net."):
            raise
        raise ValueError(_refusal(net, word, x, error)) from error
    except Exception as error:  # whatever the forward pass of a user raises
        raise ValueError(_refusal(net, word, x, error)) from error
    if not isinstance(y, Tensor) or y.ndim == 0:
        raise ValueError(
            f"net.output: {word} returns {described(y)}, must be one tensor; name a part with --net.output"
        )
    return y


def _refusal(net: nn.Module, word: str, x: Whole, error: Exception) -> str:
    needed = required_inputs(net.forward)
    if isinstance(x, Tensor) and len(needed) > 1:
        return (
            f"net.name: the forward of {word} takes {len(needed)} inputs ({', '.join(needed)}), and examples are one "
            "tensor; give data of several inputs, or a network that fixes the others"
        )
    shapes = ", ".join(f"{key} {tuple(part.shape[1:])}".strip() for key, part in tensors_in(x))
    return (
        f"net.name: {word} cannot take {examples(x)} examples of shape {shapes} ({reason_of(error)}); give data of its "
        "shape, or a network for these data"
    )
