"""Energies of clouds, and forces that conserve them.

Legend of axes: `B` clouds, `N` points, `F` numbers per point.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from learnsym.ragged import Ragged, points_in, with_points


class Energy(nn.Module):
    """The sum over points of the last scalar that a network predicts; forces are minus its gradient.

    An invariant energy has equivariant forces, whatever the network: `F_i = -∂E/∂x_i`. As one sum of all points, it
    grows with their number.

    Args:
        net: a network of points that predicts at least one scalar, such as one with `PointVectors(0, scalars=1)`.

    Returns:
        From clouds `(B, N, F)`, or `Ragged` ones, energies `(B,)`.

    Example:
        >>> inputs, outputs = ls.actions.PointCloud(scalars=2), ls.actions.PointVectors(vectors=0, scalars=1)
        >>> energy = ls.nets.points.Energy(ls.nets.points.EGNN(inputs, outputs))
        >>> x = torch.randn(4, 5, 5)
        >>> energy(x).shape, energy.forces(x).shape
        (torch.Size([4]), torch.Size([4, 5, 3]))
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.group = getattr(net, "group", None)

    def forward(self, x: Float[Tensor, "B N F"] | Ragged) -> Float[Tensor, "B"]:
        return self.net(x)[..., -1].sum(1)

    def forces(self, x: Float[Tensor, "B N F"] | Ragged) -> Float[Tensor, "B N 3"]:
        """Minus the gradient of the energies with respect to the positions; differentiable, also under `no_grad`."""
        return self.with_forces(x)[1]

    def with_forces(self, x: Float[Tensor, "B N F"] | Ragged) -> tuple[Float[Tensor, "B"], Float[Tensor, "B N 3"]]:
        """Energies and forces, from one pass through the network."""
        # fused attention has no second derivative, which training on forces takes
        with sdpa_kernel(SDPBackend.MATH):
            buffers = dict(self.net.named_buffers())
            gradients, energies = torch.func.grad(self._total, has_aux=True)(points_in(x)[..., :3], x, buffers)
        return energies, -gradients

    def _total(self, positions: Tensor, x: Tensor | Ragged, buffers: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """With buffers as an argument, since a network may update its statistics only where they are one."""
        x = with_points(x, torch.cat([positions, points_in(x)[..., 3:]], -1))
        energies = torch.func.functional_call(self.net, buffers, (x,))[..., -1].sum(1)
        return energies.sum(), energies
