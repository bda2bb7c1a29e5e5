"""Laws over groups by flow matching, beside the pose posterior on SO(2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

import learnsym as ls
from learnsym.measure import group_flow, pose_posterior, sample_distance, sample_modes

Row = dict[str, Any]
PLANE = ls.Symmetry(ls.groups.SO2(), ls.actions.PointCloud(dim=2), ls.actions.Invariant())
SPACE = ls.symmetry.so3()
ARROW = torch.tensor([[1.0, 0.0], [0.3, 0.4]])
SHAPE = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.8, 0.3], [0.2, -0.3, 0.9], [-0.5, 0.6, -0.4]])
DRAWS, EDGE = 1500, 45.0
LAWS = {
    "four turns": lambda u: math.pi / 2 * (4 * u).floor(),
    "uniform": lambda u: 2 * math.pi * u,
    "one pose": lambda u: 0 * u,
    "up to 45°": lambda u: math.radians(EDGE) * (2 * u - 1),
}
"""Angles by uniform numbers."""


def tetrahedral() -> Tensor:
    """The twelve rotations: cyclic exchanges of the axes, and even numbers of signs."""
    cycles = torch.stack([torch.eye(3).roll(k, 0) for k in range(3)])
    signs = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    return (signs.diag_embed()[:, None] @ cycles).flatten(0, 1)


def evenly(count: int) -> Tensor:
    """Uniform numbers without chance."""
    return (torch.arange(count) + 0.5) / count


def planar(name: str, seed: int, steps: int) -> Row:
    """One law over SO(2): distances to the true law, and where a limited law ends."""
    angles = LAWS[name](torch.rand(2000, generator=torch.Generator().manual_seed(seed)))
    x = PLANE.on_input(PLANE.group.exp(angles[:, None]), ARROW.expand(len(angles), 2, 2))
    sample = group_flow(x, PLANE, steps=steps, seed=seed).sample(DRAWS, seed=seed)
    # for a limited law a draw is a move from its example, and the two together a pose
    from_example = angles[sample.examples] if name == "up to 45°" else torch.zeros(DRAWS)
    poses = PLANE.group.exp(from_example[:, None].double()) @ sample.elements
    truth = PLANE.group.exp(LAWS[name](evenly(DRAWS))[:, None].double())
    row = {
        "law": name,
        "seed": seed,
        "distance": sample_distance(poses, truth),
        "chance": sample_distance(PLANE.group.exp(_drawn_again(angles, seed)[:, None].double()), truth),
        "haar": sample_distance(PLANE.group.exp(LAWS["uniform"](evenly(DRAWS))[:, None].double()), truth),
        "modes": [share for _, share in sample_modes(poses, within=0.25)],
        "edges": _edges(poses) if name == "up to 45°" else None,
    }
    return {**row, **_by_posterior(x, truth, seed)} if seed == 0 else row


def _drawn_again(values: Tensor, seed: int, count: int = DRAWS) -> Tensor:
    """Draws of the examples themselves: what a flow without errors would give."""
    return values[torch.randint(len(values), (count,), generator=torch.Generator().manual_seed(100 + seed))]


def _edges(poses: Tensor) -> list[float]:
    """Ends of a uniform law, from the middle nine tenths of it."""
    ends = PLANE.group.log(poses).rad2deg().flatten().quantile(torch.tensor([0.05, 0.95]).double())
    middle = ends.mean()
    return (middle + (ends - middle) / 0.9).tolist()


def _by_posterior(x: Tensor, truth: Tensor, seed: int) -> Row:
    """The same by the pose posterior, up to the common turn that it does not know; once, since it has an interval."""
    law = pose_posterior(x, PLANE, seed=seed, bootstrap=50)
    drawn = LAWS["uniform"](evenly(DRAWS)) if law.is_flat else _drawn(law)
    turns = torch.linspace(-math.pi, math.pi, 73)
    distances = [sample_distance(PLANE.group.exp((drawn[::5] + turn)[:, None].double()), truth[::5]) for turn in turns]
    best = turns[int(torch.tensor(distances).argmin())]
    return {
        "posterior distance": sample_distance(PLANE.group.exp((drawn + best)[:, None].double()), truth),
        "posterior half-width": [law.half_width, law.low, law.high],
        "posterior form": "flat" if law.is_flat else law.form,
    }


def _drawn(law: ls.measure.PosePosterior) -> Tensor:
    """Even draws of the fitted law."""
    poses, _, density = (torch.tensor(each, dtype=torch.float64) for each in law.grid())
    places = torch.searchsorted((density / density.sum()).cumsum(0), evenly(DRAWS).double()).clamp(max=len(poses) - 1)
    return poses[places].deg2rad().float()


def tetrahedron(seed: int, steps: int) -> Row:
    """The twelve rotations of a tetrahedron among those of SO(3)."""
    count = 1200
    elements = tetrahedral().repeat(count // 12, 1, 1)
    flow = group_flow(SPACE.on_input(elements, SHAPE.expand(count, 4, 3)), SPACE, steps=steps, seed=seed)
    drawn = flow.sample(count, seed=seed).elements
    haar = SPACE.group.haar(count, generator=torch.Generator().manual_seed(seed))
    return {
        "law": "tetrahedron",
        "seed": seed,
        "distance": sample_distance(drawn, elements.double()),
        "chance": sample_distance(_drawn_again(elements, seed, count), elements),
        "haar": sample_distance(haar.double(), elements.double()),
        "modes": [share for _, share in sample_modes(drawn, within=0.3)],
    }


def cases(seeds: int, steps: int) -> Iterator[tuple[str, int, int]]:
    """Each law, each seed."""
    for seed in range(seeds):
        yield from ((name, seed, steps) for name in LAWS)
        yield "tetrahedron", seed, 2 * steps


def law(name: str, seed: int, steps: int) -> list[Row]:
    """One law over SO(2), or the one over SO(3)."""
    return [tetrahedron(seed, steps) if name == "tetrahedron" else planar(name, seed, steps)]
