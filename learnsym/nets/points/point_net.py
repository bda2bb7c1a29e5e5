"""What all networks of points share: how clouds of different sizes go in and come out.

Legend of axes: `B` clouds, `N` points, `F`, `O` numbers per point.
"""

from __future__ import annotations

import abc

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud, PointVectors
from learnsym.nets.points.pairs import Mask
from learnsym.ragged import Ragged


class PointNet(nn.Module, abc.ABC):
    """A network from clouds `(B, N, inputs.features)`, or `Ragged` ones, to numbers `(B, N, outputs.features)`.

    Points of padding get no vectors and scalars, and stay where they are.
    """

    inputs: PointCloud
    outputs: PointCloud | PointVectors

    def forward(self, x: Float[Tensor, "B N F"] | Ragged) -> Float[Tensor, "B N O"]:
        if isinstance(x, Tensor):
            return self.predicted(x, None)
        if x.numbers is not None:
            raise ValueError(
                "numbers: got atomic numbers, which this network takes none of; wrap it in nets.points.Elements, or "
                "leave them out"
            )
        y = self.predicted(x.present, x.mask)
        return torch.where(x.mask.unsqueeze(-1), y, self._of_padding(x.x, y))

    @abc.abstractmethod
    def predicted(self, x: Float[Tensor, "B N F"], mask: Mask) -> Float[Tensor, "B N O"]:
        """Outputs of the points that there are, of which padding, where `x` is 0, is not among."""

    def _of_padding(self, x: Tensor, y: Tensor) -> Tensor:
        none = torch.zeros_like(y)
        return none if isinstance(self.outputs, PointVectors) else torch.cat([x[..., :3].to(y), none[..., 3:]], -1)
