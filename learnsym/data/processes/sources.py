"""Tasks with a context as data sets that can be loaded by name."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

from learnsym.data.dataset import Dataset
from learnsym.data.processes.gibbs import GibbsProcess
from learnsym.data.processes.plumes import Plumes
from learnsym.data.processes.temperatures import SurfaceTemperatures
from learnsym.data.source import Sizes, Source
from learnsym.data.unsized import unsized

Simulator = GibbsProcess | Plumes | SurfaceTemperatures
SHIFT = 12.0
"""How far off shifted test tasks are: farther than a lattice about a context reaches back to where it was trained."""


@lru_cache(maxsize=8)
def _drawn(process: Simulator, count: int, seed: int) -> Dataset:
    """Kept for the next reader in this process."""
    return process.dataset(count, seed)


def _read(name: str, train: Simulator, test: Simulator, sizes: Sizes, seed: int) -> dict[str, Dataset]:
    pools = {
        "train": _drawn(train, sizes.train + sizes.val, 2 * seed),
        "test": _drawn(test, sizes.test, 2 * seed + 1),
    }
    return {split: replace(pool, name=name) for split, pool in pools.items()}


def _source(name: str, title: str, sizes: Sizes, train: Simulator, test: Simulator | None = None) -> Source:
    return Source(
        name=name,
        title=f"Simulated tasks with a context: {title}",
        licence="MIT (drawn by learnsym)",
        sizes=sizes,
        read=partial(_read, name, train, test or train),
        resize=unsized,
    )


SOURCES: tuple[Source, ...] = (
    _source(
        "gibbs",
        "Gaussian processes whose length scale changes at -1, 0 or 1",
        Sizes(16384, 512, 2048),
        GibbsProcess(),
    ),
    _source(
        "gibbs-shifted",
        f"as gibbs, test tasks shifted by {SHIFT:g}, where nothing was trained",
        Sizes(16384, 512, 2048),
        GibbsProcess(),
        GibbsProcess(shift=SHIFT),
    ),
    _source("plumes", "smoke about a disc, at a few places of the plane", Sizes(4096, 256, 1024), Plumes()),
    _source(
        "temperatures",
        "weather over a map of land and heights, at a few places",
        Sizes(4096, 256, 1024),
        SurfaceTemperatures(),
    ),
    _source(
        "temperatures-elsewhere",
        f"as temperatures, test tasks {SHIFT:g} further east, where nothing was trained",
        Sizes(4096, 256, 1024),
        SurfaceTemperatures(),
        SurfaceTemperatures(shift=SHIFT),
    ),
)
