"""Inputs of a data set: a tensor, rows of a file, or several tensors for a model with several inputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from learnsym.data.rows import Rows
from learnsym.parts import Part, chosen, examples, mapped, tensors_in

Inputs = Any
"""A tensor `(N, ...)`, `Rows`, or a dict or tuple of tensors with one row an example."""


def as_float(x: Inputs) -> Inputs:
    """Inputs as floats: uint8 divided by 255, bool as 0 and 1, floats as they are."""
    if isinstance(x, Tensor):
        return _as_float(x)
    return x.then(_as_float) if isinstance(x, Rows) else mapped(_as_float, x)


def count(x: Inputs) -> int:
    """Number of examples."""
    return len(x) if isinstance(x, Tensor | Rows) else examples(x)


def taken(x: Inputs, indices: Tensor) -> Inputs:
    """The examples at `indices`, in memory."""
    return x.index_select(0, indices) if isinstance(x, Tensor | Rows) else chosen(x, indices)


def kept(x: Inputs, indices: Tensor) -> Inputs:
    """The examples at `indices`; rows of a file stay in it."""
    return x.subset(indices) if isinstance(x, Rows) else taken(x, indices)


def on(device: torch.device | str, x: Inputs) -> Inputs:
    """The same inputs, on another device."""
    return x.to(device) if isinstance(x, Tensor | Rows) else mapped(lambda t: t.to(device), x)


def moving_part(x: Inputs, moves: str = "") -> Tensor | Rows:
    """The part of inputs that a symmetry moves: by its key, by default the first.

    Raises:
        ValueError: when there is no such part.
    """
    if isinstance(x, Tensor | Rows):
        if moves:
            raise ValueError(f"data.moves: got {moves!r} for inputs of one tensor; leave it out")
        return x
    return Part(moves or first_part(x), "data.moves").get(x)


def first_part(x: Inputs) -> str:
    """The key of the first tensor; empty for inputs of one tensor."""
    return "" if isinstance(x, Tensor | Rows) else next((key for key, _ in tensors_in(x)), "")


def check_inputs(x: Inputs, moves: str = "") -> None:
    """Raise ValueError for inputs that are empty, not finite, or of a dtype whose range is not known.

    Rows of a file are looked at when they are read. Parts that do not move may be whole numbers, such as categories.
    """
    moving = moving_part(x, moves)
    if not isinstance(x, Tensor | Rows):
        examples(x, "x")
        for key, tensor in tensors_in(x):
            _check_finite(tensor, f"x.{key}")
    if not isinstance(moving, Tensor | Rows):
        raise ValueError(f"data.moves: got {moves!r}, which is no tensor but a {type(moving).__name__}; name a tensor")
    _check_kind(moving)
    if isinstance(moving, Tensor):
        _check_finite(moving, "x")


def _check_kind(x: Tensor | Rows) -> None:
    if x.ndim < 2 or x.numel() == 0:
        raise ValueError(f"x: got shape {tuple(x.shape)}, empty or without batch axis; must be (N, ...) with N >= 1")
    if x.is_complex():
        raise ValueError(f"x: got dtype {x.dtype}, must be real; give its real and imaginary parts as channels")
    if x.dtype not in (torch.uint8, torch.bool) and not x.is_floating_point():
        raise ValueError(
            f"x: got dtype {x.dtype}, whose range is not known, must be uint8 (divided by 255), bool or floating; "
            "divide by its largest value and give floats"
        )


def _check_finite(x: Tensor, name: str) -> None:
    if x.is_floating_point() and not torch.isfinite(x).all():
        bad = (~torch.isfinite(x.reshape(len(x), -1)).all(1)).nonzero()[0].item()
        raise ValueError(f"{name}: contains NaN or infinity, first in example {bad}; remove or repair those examples")


def _as_float(x: Tensor) -> Tensor:
    if x.dtype == torch.uint8:
        return x.float().div_(255.0)
    return x.float() if x.dtype == torch.bool else x
