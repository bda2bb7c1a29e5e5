"""Clamps: what limits the total force on a body in a close encounter, and with it the symmetry of the simulator.

Legend of axes: `N` bodies, `C` trajectories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Clamp(Protocol):
    """Limits forces in place."""

    def limit_(self, force: Float[Tensor, "3 N C"]) -> None:
        """Limit the force on each body."""
        ...


@dataclass(frozen=True)
class ComponentClamp:
    """Each component of the force within [-limit, limit], as the published generators do.

        F_a <- min(max(F_a, -limit), limit)

    A box has the symmetry of a cube: rotations other than the 48 signed permutations are broken in close encounters.

    Reference: Kipf, Fetaya, Wang, Welling, Zemel, "Neural relational inference for interacting systems" (2018),
    arXiv 1802.04687, with `limit = 0.1 / dt`.

    Args:
        limit: largest component, above 0.

    Example:
        >>> force = torch.tensor([300.0, 40.0, -5.0])[:, None, None]
        >>> ls.data.dynamics.ComponentClamp().limit_(force)
        >>> force.flatten()
        tensor([100.,  40.,  -5.])
    """

    limit: float = 100.0

    def __post_init__(self) -> None:
        _check(self.limit)

    def limit_(self, force: Float[Tensor, "3 N C"]) -> None:
        """Limit the force on each body."""
        force.clamp_(-self.limit, self.limit)


@dataclass(frozen=True)
class NormClamp:
    """The length of the force at most `limit`, its direction kept: commutes with all rotations and reflections.

        F <- F min(1, limit / |F|)

    Args:
        limit: largest length, above 0.

    Example:
        >>> force = torch.tensor([300.0, 400.0, 0.0])[:, None, None]
        >>> ls.data.dynamics.NormClamp().limit_(force)
        >>> force.flatten()
        tensor([60., 80.,  0.])
    """

    limit: float = 100.0

    def __post_init__(self) -> None:
        _check(self.limit)

    def limit_(self, force: Float[Tensor, "3 N C"]) -> None:
        """Limit the force on each body."""
        a, b, c = force
        square = torch.mul(a, a).addcmul_(b, b).addcmul_(c, c)  # a norm over the first axis is ten times as slow
        force.mul_(square.rsqrt_().mul_(self.limit).clamp_(max=1.0))


@dataclass(frozen=True)
class NoClamp:
    """Forces as they are: exactly as symmetric as the law, and violent in close encounters."""

    def limit_(self, force: Float[Tensor, "3 N C"]) -> None:
        """Nothing."""


def _check(limit: float) -> None:
    if not limit > 0:
        raise ValueError(f"limit: got {limit}, must be above 0; use NoClamp() for forces as they are")
