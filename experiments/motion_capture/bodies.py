"""Bodies that run or walk: centred windows, turned copies of them, and networks that know what is up."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import learnsym as ls
from learnsym.nets.points import EGNN, with_free_paths
from learnsym.nets.points.transformer import PointTransformer
from learnsym.relax.points import AbsoluteCoordinates, FixedInputs

INPUTS, OUTPUTS = ls.actions.PointCloud(vectors=1, scalars=31), ls.actions.PointCloud()
HORIZON = 0.25
"""Seconds: the unit of time, so that velocities say how far a joint would go."""
UP = (0.0, 1.0, 0.0)


def symmetry(group: ls.groups.Group) -> ls.Symmetry:
    return ls.Symmetry(group, INPUTS, OUTPUTS)


GROUPS: dict[str, ls.Symmetry] = {
    "SO(2)_x": symmetry(ls.groups.AxialSO2(0)),
    "SO(2)_y": symmetry(ls.groups.AxialSO2(1)),
    "SO(2)_z": symmetry(ls.groups.AxialSO2(2)),
    "SO(3)": symmetry(ls.groups.SO3()),
}
"""Rotations of a body about its centre; those about the vertical y keep it on its feet."""


def centred(data: ls.data.Dataset) -> ls.data.Dataset:
    """Windows whose bodies have their mean joint at the origin, with velocities per 0.25 s."""
    positions, velocities, joints = INPUTS.split(data.x)
    middle = positions.mean(1, keepdim=True)
    x = INPUTS.join(positions - middle, velocities * HORIZON, joints)
    return ls.data.Dataset(x, data.y - middle, data.name)


def load(name: str, seed: int) -> ls.data.Splits:
    """Centred windows; the seed chooses which ones are trained on."""
    splits = ls.data.load_splits(ls.data.DataConfig(name=name, seed=seed))
    return ls.data.Splits(centred(splits.train), centred(splits.val), centred(splits.test))


def turned(data: ls.data.Dataset, moves: ls.Symmetry, seed: int, copies: int = 1) -> ls.data.Dataset:
    """Each window, copied and turned by elements of a group at random; the same turns for the same seed."""
    x, y = data.x.repeat(copies, 1, 1), data.y.repeat(copies, 1, 1)
    g = moves.group.haar(len(x), generator=torch.Generator().manual_seed(seed))
    return ls.data.Dataset(moves.on_input(g, x), moves.on_output(g, y), data.name)


class Vertical(nn.Module):
    """An E(3) network whose points also carry the vertical as a vector and their height as a scalar.

    Rotations about the vertical and the mirrors that contain it are left; the height is that above the mean joint.
    """

    def __init__(self, hidden: int, layers: int) -> None:
        super().__init__()
        self.types = ls.actions.PointCloud(INPUTS.vectors + 1, INPUTS.scalars + 1)
        self.net, self.up = EGNN(self.types, OUTPUTS, hidden, layers), torch.tensor(UP)

    def forward(self, x: Tensor) -> Tensor:
        positions, vectors, scalars = INPUTS.split(x)
        up = self.up.expand(*x.shape[:2], 1, 3)
        scalars = torch.cat([scalars, positions @ self.up[:, None]], -1)
        return self.net(self.types.join(positions, torch.cat([vectors, up], 2), scalars))


class Straight(nn.Module):
    """Every joint goes on as it goes now; exactly equivariant, with nothing to learn."""

    def forward(self, x: Tensor) -> Tensor:
        positions, vectors, _ = INPUTS.split(x)
        return positions + vectors[:, :, 0]


WIDTH, BLOCKS, HEADS = 64, 4, 4
HIDDEN, LAYERS = 32, 3


def network(name: str) -> nn.Module:
    """A network by the first words of the name of a run."""
    kind = name.split(":")[0]
    if kind == "straight on":
        return Straight()
    if kind == "EGNN":
        return EGNN(INPUTS, OUTPUTS, HIDDEN, LAYERS)
    if kind == "EGNN, free":
        start = 0.0 if name.endswith(("modulation", "forward_selection")) else 1.0
        return with_free_paths(EGNN(INPUTS, OUTPUTS, HIDDEN, LAYERS), start=start)
    if kind == "EGNN, vertical and height":
        return Vertical(HIDDEN, LAYERS)
    if kind == "EGNN, fixed vector":
        return FixedInputs(lambda inputs: EGNN(inputs, OUTPUTS, HIDDEN, LAYERS), INPUTS)
    if kind == "EGNN, absolute":
        return AbsoluteCoordinates(lambda inputs: EGNN(inputs, OUTPUTS, HIDDEN, LAYERS), INPUTS)
    if kind == "transformer":
        return PointTransformer(INPUTS, OUTPUTS, WIDTH, BLOCKS, HEADS)
    raise ValueError(f"name: got {name!r}, must begin with a network of this file; see PARTS in run.py")
