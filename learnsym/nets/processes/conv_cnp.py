"""Convolutional conditional neural processes, on and off the lattice.

Legend of axes: `B` tasks, `T` targets, `P` lattice points, `K` extra inputs, `C` values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from learnsym.nets.blocks import at_least_one
from learnsym.nets.processes.gaussian_head import GaussianHead
from learnsym.nets.processes.lattice import FromLattice, Lattice, ToLattice
from learnsym.tasks import Inputs, Tasks

Extras = Callable[[Float[Tensor, "B P d"]], Float[Tensor, "B P K"]]
"""Extra inputs at locations."""


class ConvCNP(nn.Module):
    """A neural process that commutes with translations, and with what its body commutes with.

    The context goes to a lattice by a set convolution, a perceptron of each lattice point gives features, the body
    mixes neighbours, and a second set convolution takes features to the targets, where a perceptron gives a mean and a
    variance. Targets farther off than the lattice reaches get the answer of no features. All lengths are isotropic.

    Reference: Gordon, Bruinsma, Foong, Requeima, Dubois, Turner, "Convolutional conditional neural processes" (2020),
    arXiv 1910.13556; with `SteerableBody` the kind of Kawano, Kumagai, Sannai, Iwasawa, Matsuo, "Group equivariant
    conditional neural processes" (2021), arXiv 2102.08759.

    Args:
        body: maps features `(B, W, *G)` and extra inputs `(B, K, *G)`, or None, to such features: `ConvBody`,
            `BankedBody`, `SteerableBody`.
        values: number `C` of values of a point.
        spacing: distance of neighbours on the lattice.
        points: of the lattice along each axis.

    Raises:
        ValueError: for sizes that are out of range.

    Example:
        >>> body = ls.nets.processes.ConvBody(1, width=8, depth=2, kernel=5)
        >>> net = ls.nets.processes.ConvCNP(body, spacing=0.1, points=64)
        >>> x = ls.tasks.Tasks(torch.rand(2, 3, 1), torch.rand(2, 3, 1), torch.ones(2, 3), torch.rand(2, 5, 1))
        >>> net(x.inputs()).shape
        torch.Size([2, 5, 2])
    """

    def __init__(self, body: nn.Module, values: int = 1, *, spacing: float, points: int) -> None:
        super().__init__()
        at_least_one(values=values)
        self.body: Any = body
        width = self.body.width
        self.values = values
        self.lattice = Lattice(self.body.dim, spacing, points)
        self.encode, self.decode = ToLattice(self.lattice), FromLattice(self.lattice)
        self.embed = nn.Sequential(nn.Linear(1 + values, width), nn.SiLU(), nn.Linear(width, width))
        self.head = GaussianHead(width, values)

    @property
    def extras(self) -> int:
        """Number `K` of extra inputs that it can take."""
        return self.body.extras

    @property
    def group_name(self) -> str:
        """What it is equivariant to without extra inputs."""
        return self.body.group_name

    def forward(self, x: Inputs, extras: Extras | None = None) -> Float[Tensor, "B T K"]:
        """Means, then logarithms of variances, of each target.

        Args:
            x: tasks, see `tasks.Tasks`.
            extras: functions of location; None for none, which is equivariant.
        """
        tasks = Tasks.of(x)
        axes = self.lattice.axes(tasks.centre())
        z = self.embed(self.encode(tasks, axes))
        beside = None if extras is None else extras(self.lattice.locations(axes))
        if beside is not None:
            beside = beside.unflatten(1, z.shape[1:-1]).movedim(-1, 1)
        z = self.body(z.movedim(-1, 1), beside).movedim(1, -1)
        return self.head(self.decode(z, axes, tasks.target_x))
