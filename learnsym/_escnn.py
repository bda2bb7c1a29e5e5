"""The adapter to escnn, the only file that imports it."""

from __future__ import annotations

import copy
import importlib
import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from learnsym.groups import O2, O3, SO2, SO3, Cyclic, Dihedral, Group

_CONTINUOUS = {"SO(2)": "so2_group", "O(2)": "o2_group", "SO(3)": "so3_group", "O(3)": "o3_group"}
_LIE = {"SO(2)": SO2, "O(2)": O2, "SO(3)": SO3, "O(3)": O3}


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


def modules() -> Any:  # noqa: ANN401
    """`escnn.nn`.

    Raises:
        ImportError: when escnn is not installed.
    """
    _builders()
    return importlib.import_module("escnn.nn")


def is_field_type(value: object) -> bool:
    """Whether something is a field type of escnn, which nothing can be before escnn is imported."""
    return "escnn.nn" in sys.modules and isinstance(value, sys.modules["escnn.nn"].FieldType)


def bare(value: Any) -> Any:  # noqa: ANN401
    """The tensor of a geometric tensor of escnn; anything else as it is."""
    fields = "escnn.nn" in sys.modules and isinstance(value, sys.modules["escnn.nn"].GeometricTensor)
    return value.tensor if fields else value


def takes_tensors(model: Any) -> bool:  # noqa: ANN401
    """Whether a model takes tensors as torch has them: all but modules of escnn itself, which say their `in_type`."""
    is_module = "escnn.nn" in sys.modules and isinstance(model, sys.modules["escnn.nn"].EquivariantModule)
    wants_fields = is_module or callable(getattr(type(model), "evaluate_output_shape", None))
    return not (wants_fields and is_field_type(getattr(model, "in_type", None)))


class OnTensors(nn.Module):
    """A network of escnn as a function of tensors: wrapped by its `in_type` on the way in, bare on the way out.

    Args:
        net: whose `in_type` is a field type of escnn.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Any:  # noqa: ANN401  what the network returns
        """The tensor of the fields that the network returns, or whatever else that is."""
        net: Any = self.net
        if x.shape[1] != net.in_type.size:
            raise ValueError(f"x: got {x.shape[1]} channels, must have the {net.in_type.size} of {net.in_type}")
        return bare(net(net.in_type(x)))


def group_of(space: Any) -> Group:  # noqa: ANN401
    """The group of a space of escnn, by how its elements move points of the plane or of space.

    Raises:
        ValueError: when no group of this library moves them so.
    """
    fibers, action = space.fibergroup, with_points(space).basespace_action
    if fibers.name in _LIE and action is not None and action.size == (_LIE[fibers.name]()).n:
        return _LIE[fibers.name]()
    order = fibers.order()
    if order > 0 and action is not None and action.size == 2:
        matrices = torch.stack([torch.as_tensor(action(e)).double() for e in fibers.elements])
        turns = int((matrices.det() > 0).sum())
        group = Cyclic(order) if turns == order else Dihedral(turns)
        if bool(group.contains(matrices, atol=1e-5).all()):
            return group
    raise ValueError(
        f"net: its space {space.name} has no counterpart here; take rot2dOnR2, flipRot2dOnR2 with the default axis, "
        "rot3dOnR3 or flipRot3dOnR3, or layer='residual', which needs none"
    )


def with_points(space: Any) -> Any:  # noqa: ANN401
    """A space without points, that of linear maps, as the one of the plane or of volumes with the same group.

    A space that has points, and one whose group has no such space, is itself.
    """
    if space.dimensionality:
        return space
    spaces, fibers = importlib.import_module("escnn.gspaces"), space.fibergroup
    makers = {
        "SO(2)": lambda: spaces.rot2dOnR2(-1, maximum_frequency=1),
        "O(2)": lambda: spaces.flipRot2dOnR2(-1, maximum_frequency=1),
        "SO(3)": lambda: spaces.rot3dOnR3(maximum_frequency=1),
        "O(3)": lambda: spaces.flipRot3dOnR3(maximum_frequency=1),
        "C": lambda: spaces.rot2dOnR2(fibers.order()),
        "D": lambda: spaces.flipRot2dOnR2(fibers.order() // 2),
    }
    make = makers.get(fibers.name, makers.get(fibers.name[0]))
    alike = space if make is None else make()
    return alike if alike.fibergroup == fibers else space


def element_in(space: Any, g: Tensor) -> Any:  # noqa: ANN401
    """The element of the group of a space that moves points as the matrix `g` does.

    Slices of a volume are numbered upwards here and downwards in escnn.
    """
    fibers, action, matrix = space.fibergroup, with_points(space).basespace_action, g.detach().cpu().double()
    if fibers.name in ("SO(3)", "O(3)"):
        downwards = torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
        return _in_space(fibers.name, fibers, downwards[:, None] * matrix * downwards)
    if fibers.order() > 0:
        return min(fibers.elements, key=lambda e: float((torch.as_tensor(action(e)) - matrix).square().sum()))
    if fibers.name == "SO(2)":
        return fibers.element(_angle(matrix), param="radians")
    flip = fibers.element((int(matrix.det() < 0), 0.0), param="radians")
    turn = matrix @ torch.as_tensor(action(flip)).double().T
    return fibers.element((0, _angle(turn)), param="radians") @ flip


def _angle(rotation: Tensor) -> float:
    return math.atan2(float(rotation[1, 0]), float(rotation[0, 0])) % (2 * math.pi)


def copied(module: nn.Module) -> nn.Module:
    """A deep copy; of a network of escnn one that shares groups, and is cut from the graph of its cached filters."""
    memo: dict[int, Any] = {id(buffer): buffer.detach().clone() for buffer in module.buffers() if buffer.grad_fn}
    with _shared_groups():
        return copy.deepcopy(module, memo)


@contextmanager
def _shared_groups() -> Iterator[None]:
    """Groups of escnn are there once each, and refer to themselves in ways that `deepcopy` cannot follow."""
    group: Any = getattr(sys.modules.get("escnn.group"), "Group", None)
    if group is None or hasattr(group, "__deepcopy__"):
        yield
        return
    group.__deepcopy__ = lambda self, memo: self
    try:
        yield
    finally:
        del group.__deepcopy__


@contextmanager
def numerical_coefficients() -> Iterator[None]:
    """Clebsch-Gordan coefficients by scipy: escnn passes matrices of numpy that scikit-learn refuses by now."""
    _builders()
    numerical: Any = importlib.import_module("escnn.group._numerical")
    before = getattr(numerical, "randomized_svd", None)
    numerical.randomized_svd = None
    try:
        yield
    finally:
        numerical.randomized_svd = before
