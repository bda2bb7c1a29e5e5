"""What is to be learned: clouds whose mean position is the origin, and the same turned out of the training data."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

import learnsym as ls
from learnsym.actions import PointCloud, PointVectors
from learnsym.data import Dataset
from learnsym.data.dynamics import ChargedSystem, GravitySystem, NoField, NormClamp, UniformField
from learnsym.data.dynamics.sources import TESTED
from learnsym.data.seeding import generator


@dataclass(frozen=True)
class Task:
    """Examples of one law; `turned` are test examples in orientations that training did not show."""

    train: Dataset
    val: Dataset
    test: Dataset
    turned: Dataset
    unlabelled: Tensor | None = None
    """Inputs, without targets, of the law of `turned`; none of them is tested."""

    @property
    def types(self) -> tuple[PointCloud, PointCloud | PointVectors]:
        """Of inputs and outputs."""
        inputs, outputs = self.test.on_input, self.test.on_output
        assert inputs is not None and outputs is not None
        return inputs, outputs


def gravity(seed: int) -> Task:
    """A star and 3 planets: orbital planes within 10° of one plane, tested there and beyond 90°."""
    near, far = (
        ls.data.load_splits(ls.data.DataConfig(name=name, train=100, val=500, test=1000, seed=seed))
        for name in ("gravity4-narrow", "gravity4-narrow-turned")
    )
    pool = GravitySystem(orientation=TESTED).dataset(1000, seed=10_000 + seed)
    train, val, test, turned = (_centred(data) for data in (near.train, near.val, near.test, far.test))
    return Task(train, val, test, turned, _centred(pool).x)


def charged(field: float, seed: int, train: int = 300) -> Task:
    """Five charges from time 0, where nothing points anywhere, to time 1 in a field along z."""
    system = ChargedSystem(clamp=NormClamp(), field=UniformField((0.0, 0.0, field)) if field else NoField())

    def drawn(count: int, seed: int) -> Dataset:
        x = system.initial(count, seed)
        y = system.future(x).float()
        return _centred(Dataset(x.float(), y, f"field {field:g}", on_input=system.cloud, on_output=PointCloud()))

    both, test = drawn(train + 500, 2 * seed), drawn(1000, 2 * seed + 1)
    first, rest = (replace(both, x=both.x[part], y=both.y[part]) for part in (slice(500), slice(500, None)))
    return Task(rest, first, test, _turned(test))


def ethanol(seed: int) -> Task:
    """Forces on 9 atoms, and on the same molecules turned at random."""
    splits = ls.data.load_splits(ls.data.DataConfig(name="ethanol", seed=seed))
    train, val, test = (_centred(data) for data in (splits.train, splits.val, splits.test))
    return Task(train, val, test, _turned(test))


def _centred(data: Dataset) -> Dataset:
    """The mean of the input positions moved to the origin, so that translations are dealt with."""
    centre = data.x[..., :3].mean(1, keepdim=True)
    y = data.y - centre if isinstance(data.on_output, PointCloud) else data.y
    return replace(data, x=torch.cat([data.x[..., :3] - centre, data.x[..., 3:]], -1), y=y)


def _turned(data: Dataset) -> Dataset:
    """Every example turned by a uniformly random rotation, its target with it."""
    assert data.on_input is not None and data.on_output is not None
    g = ls.groups.SO3().haar(len(data), generator=generator(0, 77))
    return replace(data, x=data.on_input(g, data.x), y=data.on_output(g, data.y))


TASKS: dict[str, Callable[[int], Task]] = {
    "gravity": gravity,
    "field": lambda seed: charged(FIELD, seed),
    "no field": lambda seed: charged(0.0, seed),
    "ethanol": ethanol,
}
FIELD = 1.0
"""Ten times as strong as published, so that 300 examples can tell."""
