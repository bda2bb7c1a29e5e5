"""Generators as explicit linear operators on data: what `d/dt exp(tG)·x` at t = 0 is for each action."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, singledispatch

import torch
from torch import Tensor

from learnsym.actions import Action, Image, Invariant, LabelMap, Product, VectorField, Volume
from learnsym.actions._linear import apply_linear
from learnsym.groups import Generator, Group
from learnsym.measure.lie.flow import Derivative, check_derivative, flow

Operator = Callable[[Tensor], Tensor]


def generator_named(group: Group, name: str | None) -> tuple[int, Generator]:
    """Place and description of a generator; of the only one when no name is given.

    Raises:
        ValueError: for a group without generators, an unknown name, or no name where there are several.
    """
    names = [generator.name for generator in group.generators]
    if not names:
        raise ValueError(f"symmetry: {group.name} is finite and has no generators; measure.error_curve takes elements")
    if name is None and len(names) == 1:
        name = names[0]
    if name not in names:
        raise ValueError(f"generator: got {name!r}, must be one of {', '.join(names)}")
    return names.index(name), group.generators[names.index(name)]


def operator_of(action: Action, group: Group, place: int, derivative: Derivative = "spectral") -> Operator:
    """The linear operator `A` with `A x = d/dt exp(tG)·x` at t = 0, per unit in which the generator is read.

    Args:
        action: how the group moves the data.
        group: the group.
        place: of the generator in `group.generators`.
        derivative: of images and volumes, see `flow`.

    Example:
        >>> from learnsym.measure.lie.generator import operator_of
        >>> turn = operator_of(ls.actions.PointCloud(dim=2), ls.groups.SO2(), 0)  # per degree
        >>> turn(torch.tensor([[[180 / torch.pi, 0.0]]]))
        tensor([[[0., 1.]]])
    """
    check_derivative(derivative)
    algebra = group.algebra[place] * group.generators[place].per_unit
    return partial(_operate, action, algebra=algebra, derivative=derivative)


@singledispatch
def _operate(action: Action, x: Tensor, *, algebra: Tensor, derivative: Derivative) -> Tensor:
    """Of an action that is differentiable in the element: reverse mode twice, which works everywhere."""
    g = torch.eye(algebra.shape[-1], dtype=x.dtype, device=x.device).expand(len(x), *algebra.shape)
    direction = algebra.to(x).expand_as(g)
    with torch.enable_grad():
        tangent = torch.autograd.functional.jvp(lambda g: action(g, x.detach()), (g,), (direction,))[1]
    assert isinstance(tangent, Tensor)
    return tangent


@_operate.register
def _(action: Invariant, x: Tensor, *, algebra: Tensor, derivative: Derivative) -> Tensor:
    return torch.zeros_like(x)


@_operate.register(Image)
@_operate.register(Volume)
def _(action: Image | Volume, x: Tensor, *, algebra: Tensor, derivative: Derivative) -> Tensor:
    return flow(x, algebra, derivative, action.padding)


@_operate.register
def _(action: VectorField, x: Tensor, *, algebra: Tensor, derivative: Derivative) -> Tensor:
    linear = algebra[: action.dim, : action.dim].to(x).expand(len(x), -1, -1)
    vectors = x.unflatten(1, (-1, action.dim)).movedim(2, -1)
    turned = apply_linear(linear, vectors).movedim(-1, 2).flatten(1, 2)
    return flow(x, algebra, derivative, action.padding) + turned


@_operate.register
def _(action: LabelMap, x: Tensor, *, algebra: Tensor, derivative: Derivative) -> Tensor:
    raise ValueError("symmetry: label maps have no derivative; measure scores (B, C, H, W) with Image() on the output")


@_operate.register
def _(action: Product, x: Tensor, *, algebra: Tensor, derivative: Derivative) -> Tensor:
    total, start = torch.zeros_like(x), 0
    for factor, size in zip(action.actions, action.sizes, strict=True):
        block = algebra[start : start + size, start : start + size]
        start += size
        if bool(block.any()):
            total = total + _operate(factor, x, algebra=block, derivative=derivative)
    return total
