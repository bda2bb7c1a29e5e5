"""Laws over groups by flow matching, beside the pose posterior on SO(2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

import learnsym as ls
from learnsym.measure import GroupFlow, group_flow, pose_posterior, sample_distance, sample_modes

Row = dict[str, Any]
PLANE = ls.Symmetry(ls.groups.SO2(), ls.actions.PointCloud(dim=2), ls.actions.Invariant())
SPACE = ls.symmetry.so3()
ARROW = torch.tensor([[1.0, 0.0], [0.3, 0.4]])
SHAPE = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.8, 0.3], [0.2, -0.3, 0.9], [-0.5, 0.6, -0.4]])
EXAMPLES, OF_SOURCE, DRAWS, EDGE = 2000, 20_000, 1500, 45.0
IN_SPACE = 1200
"""Examples and draws over SO(3)."""
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


def planar(name: str, seed: int, steps: int, examples: int, *draws: int) -> list[Row]:
    """One law over SO(2), judged by each number of draws: distances to the true law, and where a limited law ends."""
    angles = LAWS[name](torch.rand(examples, generator=torch.Generator().manual_seed(seed)))
    x = PLANE.on_input(PLANE.group.exp(angles[:, None]), ARROW.expand(len(angles), 2, 2))
    flow = group_flow(x, PLANE, steps=steps, seed=seed)
    rows = [
        {**_setting(name, seed, steps, examples, count), **_judged(name, flow, angles, seed, count)} for count in draws
    ]
    if seed == 0 and examples == EXAMPLES:
        rows[0] |= _by_posterior(x, _truth(name, DRAWS), seed)
    return rows


def _setting(name: str, seed: int, steps: int, examples: int, draws: int) -> Row:
    return {"law": name, "seed": seed, "steps": steps, "examples": examples, "draws": draws}


def _truth(name: str, count: int) -> Tensor:
    """Elements of the law without chance."""
    return PLANE.group.exp(LAWS[name](evenly(count))[:, None].double())


def _judged(name: str, flow: GroupFlow, angles: Tensor, seed: int, count: int) -> Row:
    sample, truth = flow.sample(count, seed=seed), _truth(name, count)
    # for a limited law a draw is a move from its example, and the two together a pose
    from_example = angles[sample.examples] if name == "up to 45°" else torch.zeros(count)
    poses = PLANE.group.exp(from_example[:, None].double()) @ sample.elements
    return {
        "distance": sample_distance(poses, truth),
        "chance": sample_distance(PLANE.group.exp(_drawn_again(angles, seed, count)[:, None].double()), truth),
        "haar": sample_distance(_truth("uniform", count), truth),
        "modes": [share for _, share in sample_modes(poses, within=0.25)],
        "edges": _edges(poses) if name == "up to 45°" else None,
    }


def _drawn_again(values: Tensor, seed: int, count: int) -> Tensor:
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


def tetrahedron(seed: int, steps: int, examples: int, *draws: int) -> list[Row]:
    """The twelve rotations of a tetrahedron among those of SO(3), judged by each number of draws."""
    elements = tetrahedral().repeat(examples // 12, 1, 1)
    flow = group_flow(SPACE.on_input(elements, SHAPE.expand(examples, 4, 3)), SPACE, steps=steps, seed=seed)
    rows = []
    for count in draws:
        truth = tetrahedral().repeat(count // 12, 1, 1).double()
        drawn = flow.sample(count, seed=seed).elements
        haar = SPACE.group.haar(count, generator=torch.Generator().manual_seed(seed))
        judged = {
            "distance": sample_distance(drawn, truth),
            "chance": sample_distance(_drawn_again(elements, seed, count), truth),
            "haar": sample_distance(haar.double(), truth),
            "modes": [share for _, share in sample_modes(drawn, within=0.3)],
        }
        rows.append({**_setting("tetrahedron", seed, steps, examples, count), **judged})
    return rows


def cases(seeds: int, steps: int) -> Iterator[tuple[str | int, ...]]:
    """Each law, each seed."""
    for seed in range(seeds):
        yield from ((name, seed, steps, EXAMPLES, DRAWS) for name in LAWS)
        yield "tetrahedron", seed, 2 * steps, IN_SPACE, IN_SPACE


def larger(seeds: int, steps: int) -> Iterator[tuple[str | int, ...]]:
    """The laws with a target: over SO(2) from as many examples as in the source, and trained longer; more draws."""
    for seed in range(seeds):
        for name in ("four turns", "uniform"):
            yield from ((name, seed, trained, OF_SOURCE, DRAWS, 4 * DRAWS) for trained in (steps, 4 * steps))
        yield "tetrahedron", seed, 2 * steps, IN_SPACE, 4 * IN_SPACE


def law(name: str, *setting: int) -> list[Row]:
    """One law over SO(2), or the one over SO(3): seed, steps, examples, and numbers of draws."""
    return tetrahedron(*setting) if name == "tetrahedron" else planar(name, *setting)
