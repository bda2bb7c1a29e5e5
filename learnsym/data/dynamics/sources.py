"""Simulated dynamics as data sets that can be loaded by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

from learnsym.data.dataset import Dataset
from learnsym.data.dynamics.charged import ChargedSystem
from learnsym.data.dynamics.clamps import NoClamp, NormClamp
from learnsym.data.dynamics.fields import LorentzField, UniformField
from learnsym.data.dynamics.gravity import GravitySystem
from learnsym.data.dynamics.orientation import TurnedBy
from learnsym.data.dynamics.springs import SpringSystem
from learnsym.data.source import Sizes, Source
from learnsym.data.unsized import unsized

System = ChargedSystem | GravitySystem | SpringSystem
Make = Callable[[], System]
"""Systems are made when they are read, since most never are."""
TRAINED, TESTED = TurnedBy(0.0, 10.0), TurnedBy(90.0, 180.0)


@lru_cache(maxsize=8)
def _drawn(system: System, count: int, seed: int) -> Dataset:
    """Kept for the next reader in this process: twenty bodies take half a minute."""
    return system.dataset(count, seed)


def _read(name: str, train: Make, test: Make, sizes: Sizes, seed: int) -> dict[str, Dataset]:
    pools = {
        "train": _drawn(train(), sizes.train + sizes.val, 2 * seed),
        "test": _drawn(test(), sizes.test, 2 * seed + 1),
    }
    return {split: replace(pool, name=name) for split, pool in pools.items()}


def _source(name: str, title: str, train: Make, test: Make | None = None) -> Source:
    return Source(
        name=name,
        title=f"Simulated: {title}",
        licence="MIT (drawn by learnsym)",
        sizes=Sizes(3000, 2000, 2000),
        read=partial(_read, name, train, test or train),
        resize=unsized,
    )


SOURCES: tuple[Source, ...] = (
    _source("nbody5", "5 charged bodies, 1000 steps ahead, forces clamped by component", ChargedSystem),
    _source(
        "nbody20", "20 charged bodies, 1000 steps ahead, forces clamped by component", lambda: ChargedSystem(bodies=20)
    ),
    _source(
        "nbody5-norm-clamp", "5 charged bodies, forces clamped by length", lambda: ChargedSystem(clamp=NormClamp())
    ),
    _source("nbody5-no-clamp", "5 charged bodies, forces not clamped", lambda: ChargedSystem(clamp=NoClamp())),
    _source(
        "nbody20-gravity",
        "20 charged bodies in a uniform field along z",
        lambda: ChargedSystem(bodies=20, field=UniformField()),
    ),
    _source(
        "nbody20-lorentz",
        "20 charged bodies in a magnetic field along (1, 1, 1)",
        lambda: ChargedSystem(bodies=20, field=LorentzField()),
    ),
    _source("gravity4", "a star and 3 planets, 100 steps ahead", GravitySystem),
    _source(
        "gravity4-shifted",
        "a star and 3 planets, tested 200 further along x",
        GravitySystem,
        lambda: GravitySystem(offset=(200.0, 0.0, 0.0)),
    ),
    _source(
        "gravity4-narrow",
        "a star and 3 planets, orbits within 10° of a plane",
        lambda: GravitySystem(orientation=TRAINED),
    ),
    _source(
        "gravity4-narrow-turned",
        "a star and 3 planets, trained within 10° of a plane, tested beyond 90°",
        lambda: GravitySystem(orientation=TRAINED),
        lambda: GravitySystem(orientation=TESTED),
    ),
    _source("springs5", "5 bodies, some coupled by springs, 1000 steps ahead", SpringSystem),
)
"""For the registry."""
