"""The adapter to escnn, the only file that imports it."""

from __future__ import annotations

import importlib
import math
import re
from typing import Any

import torch
from torch import Tensor

from learnsym.groups import Group

_CONTINUOUS = {"SO(2)": "so2_group", "O(2)": "o2_group", "SO(3)": "so3_group", "O(3)": "o3_group"}


def to_escnn(group: Group) -> Any:  # noqa: ANN401
    """The group of escnn with the same elements.

    Raises:
        ImportError: when escnn is not installed.
        ValueError: when escnn has no such group.
    """
    builders = _builders()
    if group.name in _CONTINUOUS:
        return getattr(builders, _CONTINUOUS[group.name])()
    finite = re.fullmatch(r"([CD])_(\d+)", group.name)
    if finite and finite[1] == "C":
        return builders.cyclic_group(int(finite[2]))
    if finite:
        return builders.dihedral_group(int(finite[2]))
    raise ValueError(f"group: {group} has no counterpart in escnn; take SO(2), O(2), C_N, D_N, SO(3) or O(3)")


def element_to_escnn(group: Group, g: Tensor) -> Any:  # noqa: ANN401
    """The element of `to_escnn(group)` with the standard representation `g`, a single matrix.

    The reflection of the plane is `x -> -x` here and `y -> -y` in escnn. Both lie in O(2) and in D_N of even N; for
    odd N the two dihedral groups differ by a quarter turn `Q`, and the element has the representation `Q g Qᵀ`.

    Raises:
        ImportError, ValueError: as `to_escnn`; ValueError when `g` is not one element of the group.
    """
    target = to_escnn(group)
    if g.ndim != 2 or not bool(group.contains(g, atol=1e-5)):
        raise ValueError(f"g: got {g}, must be a single element of {group}, a matrix {group.n} x {group.n}")
    matrix = g.detach().cpu().double()
    if group.space == "space":
        return _in_space(group.name, target, matrix)
    return _in_plane(group, target, matrix)


def _in_space(name: str, target: Any, matrix: Tensor) -> Any:  # noqa: ANN401
    inverted = bool(matrix.det() < 0)
    rotation = (-matrix if inverted else matrix).numpy()
    if name == "O(3)":
        return target.element((int(inverted), rotation), param="MAT")
    return target.element(rotation, param="MAT")


def _in_plane(group: Group, target: Any, matrix: Tensor) -> Any:  # noqa: ANN401
    if group.name.startswith("D_") and len(group.components) % 4:
        quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
        matrix = quarter @ matrix @ quarter.T
    # a reflection is R(angle) diag(1, -1), so the first column is always the image of the x axis under R(angle)
    angle = math.atan2(float(matrix[1, 0]), float(matrix[0, 0]))
    flipped = int(matrix.det() < 0)
    if group.name == "SO(2)":
        return target.element(angle % (2 * math.pi), param="radians")
    if group.name == "O(2)":
        return target.element((flipped, angle % (2 * math.pi)), param="radians")
    cyclic = group.name.startswith("C_")
    turns = len(group.components) if cyclic else len(group.components) // 2
    index = round(angle / (2 * math.pi / turns)) % turns
    return target.element(index if cyclic else (flipped, index), param="int")


def _builders() -> Any:  # noqa: ANN401
    try:
        return importlib.import_module("escnn.group")
    except ImportError as error:
        raise ImportError("escnn is not installed; pip install learnsym[steerable]") from error
