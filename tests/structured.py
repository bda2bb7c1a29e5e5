"""Twins of a network that take and return structures: the same numbers, each example times a weight of its own."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from learnsym.parts import Part
from learnsym.symmetry import Symmetry


@dataclass
class Out:
    logits: Tensor
    hidden: Tensor | None = None


Pair = namedtuple("Pair", "data weight")


@dataclass(frozen=True)
class Form:
    """How inputs and outputs are structured, and the keys of their parts."""

    wrap: Callable[[Tensor, Tensor], Any]
    give: Callable[[Tensor], Any]
    input: str
    weight: str
    output: str

    def at(self, symmetry: Symmetry) -> Symmetry:
        return symmetry.at(self.input, self.output)


FORMS = {
    "dict to dataclass": Form(lambda x, w: {"image": x, "w": w}, lambda y: Out(y, -y), "image", "w", "logits"),
    "tuple to dict": Form(lambda x, w: (w, x), lambda y: {"hidden": -y, "scores": y}, "1", "0", "scores"),
    "named tuple to tuple": Form(Pair, lambda y: (-y, y), "data", "weight", "1"),
    "nested": Form(lambda x, w: {"a": {"b": x}, "c": [w]}, lambda y: {"d": Out(y)}, "a.b", "c.0", "d.logits"),
}


class Structured(nn.Module):
    """`x = (data, w) -> w · net(data)`, in a form."""

    def __init__(self, net: nn.Module, form: Form) -> None:
        super().__init__()
        self.net = net
        self.form = form

    def forward(self, x: Any) -> Any:
        data, weight = Part(self.form.input).get(x), Part(self.form.weight).get(x)
        return self.form.give(times(weight, self.net(data)))


def weights(x: Tensor) -> Tensor:
    return torch.arange(1.0, len(x) + 1, dtype=torch.float64, device=x.device)


def times(weight: Tensor, y: Tensor) -> Tensor:
    return y * weight.view(-1, *[1] * (y.dim() - 1))
