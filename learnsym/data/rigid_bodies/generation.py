"""Generation: many scenes, each from a seed of its own, by several threads.

MuJoCo steps without holding the interpreter, so that threads run side by side as processes would. A scene depends on
its own seed alone: neither on how many threads there are nor on the scenes beside it.

Legend of axes: `B` scenes, `N` bodies.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import numpy as np
from tqdm.auto import tqdm

from learnsym.data.dynamics import SimulationBlewUp
from learnsym.data.rigid_bodies.engine import simulate
from learnsym.data.rigid_bodies.scenes import Poses, Scenes, Surroundings, stack, stack_poses
from learnsym.data.rigid_bodies.throws import throw
from learnsym.data.rigid_bodies.tokens import surroundings_of
from learnsym.data.rigid_bodies.world import World

logger = logging.getLogger(__name__)

STREAM = 61
ATTEMPTS = 10
"""Scenes drawn in place of one whose simulation blew up, before it is given up."""


def usable_threads(threads: int | None) -> int:
    """As many as asked for; by default as many as this process may use processors.

    Raises:
        ValueError: for less than one.
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads: got {threads}, must be at least 1, or None for all processors")
    if threads is not None:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def drawn_scene(world: World, bodies: int, seed: int, index: int, attempt: int = 0) -> Scenes:
    """Scene number `index` of a seed, the same whatever else is drawn."""
    words = np.random.SeedSequence([seed, STREAM, index, attempt])
    return throw(world, bodies, np.random.Generator(np.random.PCG64(words)))


def drawn_with_future(
    world: World, bodies: int, seed: int, index: int, *, steps: int, timestep: float
) -> tuple[Scenes, Poses]:
    """A scene and its future; drawn again when its simulation blows up.

    Raises:
        SimulationBlewUp: when that happens ten times.
    """
    around = surroundings_of(world, 1).at(0)
    for attempt in range(ATTEMPTS):
        scene = drawn_scene(world, bodies, seed, index, attempt)
        try:
            return scene, simulate(scene, around, steps, timestep)
        except SimulationBlewUp as error:
            logger.warning("seed %d, scene %d, attempt %d: %s", seed, index, attempt, error)
    raise SimulationBlewUp(f"scene {index} of seed {seed} blew up {ATTEMPTS} times; take a smaller timestep")


def drawn_with_futures(
    make: Callable[[int], tuple[Scenes, Poses]], indices: Sequence[int], threads: int
) -> tuple[Scenes, Poses]:
    """Scenes of these numbers, by several threads."""
    with ThreadPoolExecutor(threads) as pool:
        scenes, futures = zip(*_watched(pool.map(make, indices), len(indices)), strict=True)
    return stack(list(scenes)), stack_poses(list(futures))


def futures(scenes: Scenes, surroundings: Surroundings, steps: int, timestep: float, threads: int) -> Poses:
    """Futures of scenes, in the same order.

    Raises:
        SimulationBlewUp: when a coordinate or velocity is not finite or too large.
    """
    count = len(scenes.kind)
    parts = ([scenes.at(i) for i in range(count)], [surroundings.at(i) for i in range(count)])
    with ThreadPoolExecutor(threads) as pool:
        simulated = pool.map(simulate, *parts, repeat(steps), repeat(timestep))
        return stack_poses(list(_watched(simulated, count)))


def _watched(results: Iterator, total: int) -> Iterator:
    yield from tqdm(results, total=total, unit="scene", disable=None, leave=False)
