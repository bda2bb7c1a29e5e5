"""Any network, averaged over the frames of a principal component analysis (Puny et al. 2021, arXiv 2110.03336).

Legend of axes: `B` clouds, `N` points, `F` and `O` numbers per point, `V` vectors, `S` signs (frames of a cloud).
"""

from __future__ import annotations

from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learnsym.actions import PointCloud, PointVectors
from learnsym.groups import E3, MatrixGroup
from learnsym.nets.points.assembly import check_types
from learnsym.nets.points.pairs import Mask, centred
from learnsym.nets.points.point_net import PointNet
from learnsym.ragged import Ragged

RELATIVE_GAP = 1e-4
"""Eigenvalues closer than this fraction of their sum count as equal in gradients."""


class FrameAveraged(PointNet):
    """A plain network made equivariant: the mean of `g f(g⁻¹ x)` over the frames `g` of a cloud.

    Frames are the centroid with the principal axes `U = (u_1, u_2, u_3)` of positions and vectors, of all signs: 8 for
    E(3), and the 4 with determinant 1 for SE(3). They move with the cloud, so the mean is exact,

        F(x) = 1/|G(x)| Σ_{g ∈ G(x)} g f(g⁻¹ x).

    Where eigenvalues are equal (regular bodies, points on a line without other vectors) axes are not unique, and an
    arbitrary choice is made: there `F` jumps and is not equivariant, as for any such frame. Gradients are exact
    elsewhere; the derivative of the axes, which has the factor `1/(λ_a - λ_b)`, is damped where eigenvalues differ by
    less than `1e-4` of their sum, so gradients are always finite.

    Reference: Frame Averaging for Invariant and Equivariant Network Design (Puny et al. 2021), arXiv 2110.03336.

    Args:
        net: any network from `(B, N, inputs.features)` to `(B, N, outputs.features)`.
        inputs: types of the inputs.
        outputs: types of the outputs.
        group: E(3) or SE(3); default E(3).

    Returns:
        From clouds `(B, N, F)` numbers `(B, N, outputs.features)`, with 8 or 4 clouds for each one through `net`.

    Raises:
        ValueError: when the types are not of space, nothing is predicted, or the group is another one.

    Example:
        >>> inputs, outputs = ls.actions.PointCloud(1, 1), ls.actions.PointCloud()
        >>> net = ls.nets.points.FrameAveraged(ls.nets.points.GNN(inputs, outputs), inputs, outputs)
        >>> net(torch.randn(2, 5, 7)).shape
        torch.Size([2, 5, 3])
    """

    signs: Tensor

    def __init__(
        self, net: nn.Module, inputs: PointCloud, outputs: PointCloud | PointVectors, group: MatrixGroup | None = None
    ) -> None:
        super().__init__()
        check_types(inputs, outputs)
        self.net, self.inputs, self.outputs, self.group = net, inputs, outputs, group or E3()
        if self.group.name not in ("E(3)", "SE(3)"):
            raise ValueError(f"group: got {self.group.name}, must be E(3) or SE(3); frames exist for these two")
        signs = torch.tensor(list(product((1.0, -1.0), repeat=3)))
        proper = signs.prod(-1) > 0
        self.register_buffer("signs", signs if self.group.name == "E(3)" else signs[proper], persistent=False)

    def predicted(self, x: Float[Tensor, "B N F"], mask: Mask) -> Float[Tensor, "B N O"]:
        positions, vectors, scalars = self.inputs.split(x)
        start = centred(positions, mask)
        frames = (self._axes(start, vectors).unsqueeze(1) * self.signs.to(x.dtype).unsqueeze(1)).flatten(0, 1)
        clouds = self.inputs.join(start, vectors, scalars).repeat_interleave(len(self.signs), 0)
        mask = None if mask is None else mask.repeat_interleave(len(self.signs), 0)
        y = in_pose(self.net, self.inputs, self.outputs, frames, clouds, mask)
        return plus_positions(self.outputs, y.unflatten(0, (-1, len(self.signs))).mean(1), positions)

    def _axes(self, x: Tensor, vectors: Tensor) -> Tensor:
        """Principal axes as columns, right-handed, so that the signs choose the determinant."""
        with torch.autocast(x.device.type, enabled=False):
            u = principal_axes(torch.cat([x.unsqueeze(2), vectors], 2))
            return torch.cat([u[..., :2], torch.linalg.cross(u[..., :1], u[..., 1:2], dim=-2)], -1)


def principal_axes(vectors: Float[Tensor, "B N V 3"]) -> Float[Tensor, "B 3 3"]:
    """Eigenvectors, as columns, of the sum of the second moments of all vectors, each divided by its trace.

    To first order `dU = U (Ω ∘ (Uᵀ dC U))` with `Ω_ab = 1 / (λ_b - λ_a)`: the gradient of this formula, with `Ω`
    damped, in place of that of the decomposition, which is not finite at equal eigenvalues.
    """
    moments = vectors.transpose(1, 2).mT @ vectors.transpose(1, 2)
    sizes = moments.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]
    c = (moments / torch.where(sizes > 0, sizes, 1)).sum(1)
    values, u = torch.linalg.eigh(c.detach())
    gap = values.unsqueeze(-2) - values.unsqueeze(-1)
    floor = RELATIVE_GAP * values.sum(-1).clamp(min=1)[..., None, None]
    change = u.mT @ (c - c.detach()) @ u
    return u + u @ (gap / (gap.square() + floor.square()) * change)


def plus_positions(
    types: PointCloud | PointVectors, y: Float[Tensor, "B N F"], positions: Float[Tensor, "B N 3"]
) -> Float[Tensor, "B N F"]:
    """Displacements to positions, where the types have any."""
    if isinstance(types, PointVectors):
        return y
    return torch.cat([y[..., :3] + positions, y[..., 3:]], -1)


def in_pose(
    net: nn.Module,
    inputs: PointCloud,
    outputs: PointCloud | PointVectors,
    pose: Float[Tensor, "B 3 3"],
    x: Float[Tensor, "B N F"],
    mask: Mask = None,
) -> Float[Tensor, "B N O"]:
    """`R f(Rᵀ x)`, positions as displacements: exact also where `R` is not quite orthogonal."""
    turned = inputs(pose.mT, x)
    y = net(turned if mask is None else Ragged(turned, mask)).to(x.dtype)
    return outputs(pose, plus_positions(outputs, y, -turned[..., :3]))
