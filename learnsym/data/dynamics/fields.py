"""Fields: forces from outside on single bodies, which break the symmetry of a system down to that of the field.

Legend of axes: `N` bodies, `C` trajectories.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Field(Protocol):
    """A force on each body from its charge, position and velocity."""

    def force(
        self, q: Float[Tensor, "N C"], x: Float[Tensor, "3 N C"], v: Float[Tensor, "3 N C"]
    ) -> Float[Tensor, "3 #N #C"] | None:
        """The force on each body, None for no field."""
        ...


@dataclass(frozen=True)
class NoField:
    """Nothing acts from outside."""

    def force(self, q: Float[Tensor, "N C"], x: Float[Tensor, "3 N C"], v: Float[Tensor, "3 N C"]) -> None:
        """None."""
        return None


@dataclass(frozen=True)
class UniformField:
    """The same force on every body; rotations about its direction remain.

    Reference: the gravity task of Du, Zhang, Du, Meng, Chen, Zheng, Shao, Liu, "SE(3) equivariant graph neural networks
    with complete local frames" (2022), arXiv 2110.14811.

    Args:
        strength: the force; 0.098 upwards as published.
    """

    strength: tuple[float, float, float] = (0.0, 0.0, 0.098)

    def __post_init__(self) -> None:
        _check("strength", self.strength)

    def force(
        self, q: Float[Tensor, "N C"], x: Float[Tensor, "3 N C"], v: Float[Tensor, "3 N C"]
    ) -> Float[Tensor, "3 1 1"]:
        """`F = strength`."""
        return x.new_tensor(self.strength)[:, None, None]


@dataclass(frozen=True)
class LorentzField:
    """The force of a uniform magnetic field on moving charges; rotations about its direction remain.

        F = q v × B

    Reference: the Lorentz task of Du et al. (2022), arXiv 2110.14811.

    Args:
        B: the magnetic field; (0.5, 0.5, 0.5) as published.

    Example:
        >>> q, v = torch.ones(1, 1), torch.tensor([1.0, 0.0, 0.0])[:, None, None]
        >>> ls.data.dynamics.LorentzField((0.0, 0.0, 2.0)).force(q, v, v).flatten()
        tensor([ 0., -2.,  0.])
    """

    B: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __post_init__(self) -> None:
        _check("B", self.B)

    def force(
        self, q: Float[Tensor, "N C"], x: Float[Tensor, "3 N C"], v: Float[Tensor, "3 N C"]
    ) -> Float[Tensor, "3 N C"]:
        """`F = q v × B`."""
        a, b, c = self.B
        x_, y_, z_ = v.unbind(0)
        return torch.stack([y_ * c - z_ * b, z_ * a - x_ * c, x_ * b - y_ * a]).mul_(q)


def _check(name: str, vector: tuple[float, float, float]) -> None:
    if len(vector) != 3 or not all(math.isfinite(value) for value in vector):
        raise ValueError(f"{name}: got {vector}, must be three finite numbers; such as (0.0, 0.0, 0.098)")
