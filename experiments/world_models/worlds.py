"""Grids and reacher for one set of measures: their training sets, what moves them, and what was found of a model."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

import learnsym as ls
from learnsym.data import Dataset
from learnsym.data.worlds import DIRECTIONS, Blocks, GridWorld, Reacher, Rollouts, Shapes
from learnsym.equivariant import FieldType
from learnsym.groups import Cyclic, Dihedral
from learnsym.methods import registry

SETS: dict[str, tuple[str, Any]] = {
    "shapes, all": ("shapes", DIRECTIONS),
    "shapes, up only": ("shapes", ("up",)),
    "blocks, all": ("blocks", DIRECTIONS),
    "blocks, no left": ("blocks", ("right", "up", "down")),
    "reacher, all": ("reacher", (-1.0, 1.0)),
    "reacher, one way": ("reacher", (0.0, 1.0)),
}
"""View, and the actions of training."""
HORIZONS = (1, 5, 10)
"""Actions in a row after which predictions are asked for."""
QUARTER = Cyclic(4).elements()[1]


@dataclass(frozen=True, eq=False)
class Scene:
    """A world with the actions of its training, and how group elements move states, actions and latents."""

    world: Any
    actions: Any
    elements: Callable[[int], Tensor]
    state: Callable[[Tensor, Tensor], Tensor]
    action: FieldType
    latent: FieldType


def grid(
    view: str,
    directions: tuple[str, ...],
    options: argparse.Namespace,
    tilt: float = 45.0,
    stuck: tuple[str, ...] = (),
) -> Scene:
    """Objects, moved by a quarter turn."""
    drawn = Shapes() if view == "shapes" else Blocks(tilt)
    world = GridWorld(view=drawn, objects=options.objects, size=options.size, stuck=stuck)
    regular = FieldType.regular(Cyclic(4), options.objects)
    return Scene(
        world, directions, lambda n: QUARTER.expand(n, 2, 2), lambda s, _: world.turned(s, 1), regular, regular
    )


@cache
def reacher(elbow: tuple[float, float]) -> Scene:
    """The arm, moved by the turns and flips of the square, one after another."""
    group, world = Dihedral(4), Reacher()
    square = group.elements()
    torques, latent = FieldType.irreps(group, {(0, 1): 2}), FieldType.regular(group, 4)
    return Scene(world, elbow, lambda n: square[torch.arange(n) % len(square)], world.moved, torques, latent)


@cache
def transitions(world: Any, n: int, actions: Any, seed: int) -> Dataset:
    """Drawn once for all arms."""
    return world.transitions(n, actions, seed=seed)


@cache
def rollouts(world: Any, n: int, steps: int) -> Rollouts:
    """Tests have all actions."""
    return world.rollouts(n, steps, seed=1001)


@torch.no_grad()
def measured(model: Any, scene: Scene, episodes: int) -> dict[str, Any]:
    """Hits after several actions of any kind, and how symmetric the latents are."""
    found: dict[str, Any] = {"parameters": ls.nets.parameter_count(model)}
    for steps in HORIZONS:
        r = rollouts(scene.world, episodes, steps)
        scores = ls.measure.retrieval(model.rollout(r.before / 255, r.actions), encoded(model, r.after), r.state)
        found |= {f"hits@{k}, {steps}": scores.hits[k].mean for k in scores.hits}
        found |= {f"MRR, {steps}": scores.mrr.mean, "variance": scores.variance}
    return found | symmetric(model, scene, episodes)


def symmetric(model: Any, scene: Scene, episodes: int) -> dict[str, float]:
    """EE(S), DIE of encoder and model, and the error of the whole under the action on pixels."""
    (z, next_, p), (moved_z, moved_next, moved_p) = (
        (encoded(model, seen), encoded(model, after), model.rollout(seen / 255, action[:, None]))
        for seen, action, after in pairs(scene, episodes)
    )
    some = rollouts(scene.world, episodes, 1)
    x = {"before": some.before / 255, "action": some.actions[:, 0], "after": some.after / 255}
    tested = registry["world_model"]().tested(transitions(scene.world, 2, scene.actions, 0).signature)
    return {
        "EE(S)": ls.measure.latent_equivariance_error(moved_z, scene.latent.mix(scene.elements(episodes), z)).mean,
        "DIE(S)": ls.measure.distance_invariance_error(z, z, moved_z, moved_z).mean,
        "DIE(model)": ls.measure.distance_invariance_error(p, next_, moved_p, moved_next).mean,
        "pixel error": ls.measure.equivariance_error(model, x, tested, samples=3).mean,
    }


@cache
def pairs(scene: Scene, episodes: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Pictures, actions and pictures of what happens, of some states and of the same states moved."""
    world, g, random = scene.world, scene.elements(episodes), torch.Generator().manual_seed(7)
    state, action = world.states(episodes, random), world.actions(episodes, random)
    both = ((state, action), (scene.state(state, g), scene.action.mix(g, action)))
    return [(world.pictures(s), a, world.pictures(world.step(s, a))) for s, a in both]


def encoded(model: Any, pictures: Tensor) -> Tensor:
    """Latents of pictures, flat."""
    return model.encoder(pictures / 255).flatten(1)
