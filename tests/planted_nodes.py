"""Sets of points with a mask in which some positions are exchangeable, and the networks that are trained on them.

The force on a point is a sum over the others in which each position has a source strength of its own:

    F_i = Σ_j q_j (x_j - x_i) exp(-|x_j - x_i|² / 2) + noise
"""

from __future__ import annotations

from functools import cache

import torch

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors
from learnsym.data import Ragged
from learnsym.objectives import Regularised, Supervised, mse
from learnsym.objectives.terms import Prior
from learnsym.parts import chosen
from learnsym.training import OptimiserConfig

STRENGTHS = {"all": [1.0] * 5, "some": [1.0, 1.0, 1.0, -1.0, -1.0], "none": [-2.0, -1.0, 0.0, 1.0, 2.0]}
CLASSES = {"all": [[0, 1, 2, 3, 4]], "some": [[0, 1, 2], [3, 4]], "none": [[0], [1], [2], [3], [4]]}
NODES = ls.Symmetry(ls.groups.Permutation(5), ls.actions.Set(), ls.actions.Set())


def planted(kind: str, count: int, seed: int) -> tuple[Ragged, Ragged]:
    """Points, of which a fifth is not there, and the forces on them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 5, 3, generator=generator)
    mask = torch.rand(count, 5, generator=generator) < 0.8
    mask[:, :2] |= ~mask.any(1, keepdim=True)
    apart = x[:, None] - x[:, :, None]
    weights = (-apart.square().sum(-1) / 2).exp() * (torch.tensor(STRENGTHS[kind]) * mask)[:, None]
    forces = (weights.unsqueeze(-1) * apart).sum(2) + 0.05 * torch.randn(x.shape, generator=generator)
    return Ragged(x, mask), Ragged(forces, mask)


def egnn(types: PointCloud) -> torch.nn.Module:
    return ls.nets.points.EGNN(types, PointVectors(), hidden=8, layers=1)


@cache
def trained(kind: str, seed: int, steps: int = 300, count: int = 512) -> torch.nn.Module:
    """A network with identifiers that were learned."""
    torch.manual_seed(seed)
    net = ls.relax.points.NodeIdentifiers(egnn, PointCloud(), positions=5, features=2)
    x, y = planted(kind, count, seed)
    batches = [tuple(chosen(part, slice(i, i + 64)) for part in (x, y)) for i in range(0, count, 64)]
    objective = Regularised(Supervised(mse), [Prior(count)])
    ls.training.fit(net, objective, batches, steps=steps, optimiser=OptimiserConfig(lr=1e-2))
    return net.eval()
