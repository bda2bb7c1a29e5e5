"""What users give to measures, made one kind of thing: arrays to tensors, names to symmetries, keys to outputs."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from learnsym._modes import module_of
from learnsym.actions import Nodes, Set
from learnsym.measure._probe import Output
from learnsym.parts import Part, Whole, mapped, tensors_in
from learnsym.ragged import Ragged
from learnsym.symmetry import Symmetry, SymmetryLike, as_symmetry

OutputLike = Output | str | None
"""Takes the tensor that is measured out of what a model returns; or the key of its part, see `parts.Part`."""


def asked(model: object, x: Whole, symmetry: SymmetryLike, output: OutputLike) -> tuple[Whole, Symmetry, Output | None]:
    """Examples in tensors, the symmetry of one tensor of outputs, and how that is taken from what a model returns.

    It is the one that the symmetry is about where `output` does not say which.
    """
    symmetry = _of_points(x, as_symmetry(symmetry))
    chosen = output_of(output)
    if chosen is None and symmetry.on_output.part.key:
        chosen = symmetry.output
    return as_tensors(x, model), replace(symmetry, on_output=symmetry.on_output.within), chosen


def moving(x: Whole, symmetry: SymmetryLike) -> tuple[Tensor, Symmetry]:
    """The tensor of examples that moves, and its symmetry."""
    symmetry = _of_points(x, as_symmetry(symmetry))
    return symmetry.moving(as_tensors(x)), symmetry.of_tensors


def _of_points(x: Whole, symmetry: Symmetry) -> Symmetry:
    """Of clouds of different sizes the points move; where they change places, with all that they carry."""
    if not isinstance(x, Ragged) or symmetry.on_input.part.key:
        return symmetry
    return replace(symmetry, on_input=Nodes()) if symmetry.on_input == Set() else symmetry.at(input="x")


def output_of(output: OutputLike) -> Output | None:
    """The function that a key stands for."""
    return Part(output, "output").get if isinstance(output, str) else output


def as_tensors(x: Whole, model: object = None) -> Whole:
    """NumPy arrays as tensors: on the device of the model, and of the dtype of its weights where they are floating.

    Tensors stay what they are. Without a model floating arrays get the default dtype of torch.
    """
    module = module_of(model)
    weights = () if module is None else chain(module.parameters(), module.buffers())
    tensors = [each for each in weights if each.is_floating_point()] or [t for _, t in tensors_in(x)]
    like = next((each for each in tensors if each.is_floating_point()), torch.empty(0))
    return mapped(lambda array: _as_tensor(array, like), x, np.ndarray)


def _as_tensor(array: np.ndarray, like: Tensor) -> Tensor:
    try:
        tensor = torch.from_numpy(np.array(array))  # a copy, which may be written to
    except TypeError:
        raise ValueError(f"x: got an array of {array.dtype}, must be numbers that torch has; convert it") from None
    return tensor.to(like) if tensor.is_floating_point() else tensor.to(like.device)
