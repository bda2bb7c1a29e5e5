"""The two sides that a closure test compares: moved so that interpolation, if any, alters both alike."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from learnsym.actions import Action, Image, Volume
from learnsym.groups import O2, O3, Group
from learnsym.measure.pose.centre import random_shifts, shifted, to_the_middle
from learnsym.measure.pose.smoothing import smoothed
from learnsym.symmetry import Symmetry

FEW, EXACT = 8, 1e-4
"""Examples that are moved there and back, and the share of their spread by which they may have changed."""

Elements = tuple[Float[Tensor, "n n"], Float[Tensor, "n n"]]


def elements_of_sides(symmetry: Symmetry, element: Float[Tensor, "n n"], x: Tensor) -> tuple[Elements, bool]:
    """Elements `(a, b)` with `b^-1 a = g`, and whether both move the examples exactly.

    `(g, 1)` when `g` moves them exactly; else `g = r² c` with `c` in `components`, and `(r c, r^-1)`: flips of the
    lattice turn the one into the other, with all that interpolation does.

    Raises:
        ValueError: when `g` interpolates and cannot be halved.
    """
    g = element.double()
    if _is_exact(symmetry, g, x):
        return (g, torch.eye(len(g), dtype=g.dtype)), True
    group = _with_roots(symmetry.group)
    for component in group.components.to(g):
        rest = g @ group.inverse(component)
        root = group.exp(group.log(rest) / 2)
        if torch.allclose(root @ root, rest, atol=1e-6):
            return (root @ component, group.inverse(root)), False
    raise ValueError(
        f"element: got a matrix without a square root in {group.name}, which interpolation would tell from no move; "
        "take one nearer to the identity, or one that moves these data exactly"
    )


def moved_sides(
    action: Action, elements: Elements, x: Tensor, exact: bool, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The examples moved by either element; where that interpolates, smoothed and after a random shift.

    The shift, by up to half a pixel, gives every pixel all distances from the lattice: else these make a pattern of its
    own on each side.
    """
    if exact or not isinstance(action, Image | Volume):
        return _moved(action, elements[0], x), _moved(action, elements[1], x)
    return _shifted(action, elements, smoothed(x), random_shifts(x, 0.5, generator))


def centred_sides(
    action: Action, elements: Elements, x: Tensor, exact: bool, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The sides of images or volumes about the mean centre of their objects: the control of the closure test."""
    return _shifted(action, elements, x if exact else smoothed(x), to_the_middle(x, generator))


def _shifted(action: Action, elements: Elements, x: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    return shifted(action, x, shift, elements[0]), shifted(action, x, shift, elements[1])


def _moved(action: Action, g: Tensor, x: Tensor) -> Tensor:
    return action(g.expand(len(x), *g.shape).to(x), x)


def _is_exact(symmetry: Symmetry, g: Tensor, x: Tensor) -> bool:
    few = x[:FEW]
    back = _moved(symmetry.on_input, symmetry.group.inverse(g), _moved(symmetry.on_input, g, few))
    return bool((back - few).abs().max() <= EXACT * few.std())


def _with_roots(group: Group) -> Group:
    """The group itself, or the rotations and reflections that a finite group of the plane or of space lies in."""
    if group.dim:
        return group
    return {("plane", 2): O2(), ("space", 3): O3()}.get((group.space, group.n), group)
