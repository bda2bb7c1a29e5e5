"""Set convolutions: from values anywhere to a lattice, and from the lattice to anywhere.

Legend of axes: `B` tasks, `N` context points, `T` targets, `G` lattice points along an axis, `d` dimension of space,
`C` channels; `*G` is one axis for each dimension.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.tasks import Tasks

AXES = "ghk"
SMOOTHING = 1.0
"""Length of the kernels at the start, in spacings of the lattice."""
LOWEST = -60.0
"""Of logarithms of kernels: exponentials that underflow are slow, and this one is 0 beside any other."""
FEW = 1e-4
"""Density next to which there is as good as no context."""


class Lattice(nn.Module):
    """A lattice of `G` points along each axis, about a centre of each task.

    As it goes with the centre, which moves as the locations do, a network on it commutes with every translation, not
    only by multiples of the spacing; a centre of the context alone leaves each prediction independent of what else is
    asked for.

    Args:
        dim: dimension of space, 1 to 3.
        spacing: distance of neighbours.
        points: number `G`; predictions reach `G * spacing / 2` from the centre.

    Raises:
        ValueError: for sizes that are out of range.

    Example:
        >>> from learnsym.nets.processes.lattice import Lattice
        >>> Lattice(1, spacing=0.5, points=4).axes(torch.zeros(1, 1, 1))[0]
        tensor([[-0.7500, -0.2500,  0.2500,  0.7500]])
    """

    offsets: Tensor

    def __init__(self, dim: int, spacing: float, points: int) -> None:
        super().__init__()
        if not 1 <= dim <= len(AXES):
            raise ValueError(f"dim: got {dim}, must be 1, 2 or 3, for which there are convolutions")
        if not 0 < spacing < math.inf or points < 2:
            raise ValueError(
                f"spacing, points: got {spacing}, {points}, must be positive and at least 2; about half the shortest "
                "length of the functions, and as many as reach all targets, are usual"
            )
        self.dim, self.spacing, self.points = dim, float(spacing), points
        steps = torch.arange(points, dtype=torch.float64) - (points - 1) / 2
        self.register_buffer("offsets", steps * spacing, persistent=False)

    def axes(self, centre: Float[Tensor, "B 1 d"]) -> list[Float[Tensor, "B G"]]:
        """Coordinates of the lattice along each axis."""
        return [along + self.offsets.to(centre) for along in centre.unbind(-1)]

    def locations(self, axes: Sequence[Float[Tensor, "B G"]]) -> Float[Tensor, "B P d"]:
        """All points of the lattice, the last axis running fastest."""
        shape = (axes[0].shape[0], *[self.points] * self.dim)
        grids = [
            axis.reshape(-1, *[1] * i, self.points, *[1] * (self.dim - 1 - i)).expand(shape)
            for i, axis in enumerate(axes)
        ]
        return torch.stack(grids, -1).flatten(1, -2)

    def extra_repr(self) -> str:
        """Sizes."""
        return f"dim={self.dim}, spacing={self.spacing:g}, points={self.points}"


class ToLattice(nn.Module):
    """The set convolution of a context: its density, and the values smoothed over it.

        h⁰(u) = Σ_n k(u - x_n),    h(u) = Σ_n k(u - x_n) y_n / h⁰(u),    k(r) = exp(-|r|² / 2 l²)

    with one learned length `l`, so that it turns with space. No context at all gives 0.

    Reference: Gordon, Bruinsma, Foong, Requeima, Dubois, Turner, "Convolutional conditional neural processes" (2020),
    arXiv 1910.13556.
    """

    def __init__(self, lattice: Lattice) -> None:
        super().__init__()
        self.log_length = nn.Parameter(torch.tensor(math.log(SMOOTHING * lattice.spacing)))
        axes = AXES[: lattice.dim]
        self.sum = f"{','.join(f'b{axis}n' for axis in axes)},bnc->b{axes}c"

    def forward(self, tasks: Tasks, axes: Sequence[Float[Tensor, "B G"]]) -> Tensor:
        """Density and smoothed values, `(B, *G, 1 + C)`."""
        present = tasks.weights().unsqueeze(-1)
        carried = torch.cat([present, torch.where(present > 0, tasks.context_y, 0)], -1)
        # the kernel is a product over axes
        kernels = _kernels(axes, tasks.context_x, self.log_length)
        density, total = torch.einsum(self.sum, *kernels, carried).split([1, carried.shape[-1] - 1], -1)
        return torch.cat([density, total / (density + FEW)], -1)


class FromLattice(nn.Module):
    """The set convolution of a lattice at targets: `h(x) = s^d / (2π l²)^(d/2) Σ_u k(x - u) z_u`.

    With the spacing `s` the weights add up to about 1; off the lattice, to 0.
    """

    def __init__(self, lattice: Lattice) -> None:
        super().__init__()
        self.log_length = nn.Parameter(torch.tensor(math.log(SMOOTHING * lattice.spacing)))
        self.dim, self.spacing = lattice.dim, lattice.spacing
        axes = AXES[: lattice.dim]
        self.sum = f"{','.join(f'b{axis}t' for axis in axes)},b{axes}c->btc"

    def forward(
        self, z: Tensor, axes: Sequence[Float[Tensor, "B G"]], targets: Float[Tensor, "B T d"]
    ) -> Float[Tensor, "B T C"]:
        """Features `z (B, *G, C)` at the targets."""
        share = self.spacing / (math.sqrt(2 * math.pi) * self.log_length.exp())
        return torch.einsum(self.sum, *_kernels(axes, targets, self.log_length), z) * share**self.dim


def _kernels(axes: Sequence[Tensor], x: Float[Tensor, "B N d"], log_length: Tensor) -> list[Float[Tensor, "B G N"]]:
    """`k` along each axis, between the lattice and locations."""
    rate = -0.5 * (-2 * log_length).exp()
    # squares need no gradient where locations need none
    squares = [
        (axis.unsqueeze(-1) - along.unsqueeze(1)).square() for axis, along in zip(axes, x.unbind(-1), strict=True)
    ]
    return [(rate * square).clamp(min=LOWEST).exp() for square in squares]
