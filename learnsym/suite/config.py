"""Which tasks the suite asks, of which methods and choosers, and with how much effort."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from learnsym import methods
from learnsym._settings import Distinct, Processes, Seed, Share, check_settings, shown
from learnsym.data.known import Task, tasks
from learnsym.objectives import choosers
from learnsym.statistics import LEVEL

READERS = ("poses", "closure", "axis", "extent")
"""What says how symmetric a task is: the law of poses, the closure test, the axis, and up to where augmentation does no
harm."""
METHODS = (*READERS, *methods.registry)
"""What may be asked."""
DEFAULT_METHODS = (*READERS, "augerino")


@dataclass(frozen=True, kw_only=True)
class Size:
    """The effort of a suite.

    Args:
        only: names of the tasks; empty for all.
        train: training examples of the twins.
        val: their validation examples.
        test: held-out examples, by which accuracies are judged.
        steps: of a plain training, in batches of 32.
        examples: from which laws of poses and closure tests read.
        reading: training steps of each of their networks.
        seeds: of data, weights and batches, the same for all.
    """

    only: tuple[str, ...] = ()
    train: int
    val: int
    test: int
    steps: int
    examples: int
    reading: int
    seeds: tuple[int, ...]


SMOKE = (
    "digits rotation 45",
    "digits rotation 90",
    "digits as they are: rotation",
    "drawings as they are: rotation",
    "drawings of 2 elements: left-right flip",
    "drawings as they are: left-right flip",
    "compass of 4, ± 10",
    "forces: one axis about 0, 0, 1",
)
"""Of both halves."""
SIZES = {
    "smoke": Size(only=SMOKE, train=64, val=64, test=100, steps=40, examples=200, reading=40, seeds=(0,)),
    "small": Size(train=150, val=150, test=1200, steps=200, examples=600, reading=120, seeds=(0, 1, 2)),
    "full": Size(train=450, val=450, test=800, steps=1500, examples=3000, reading=600, seeds=(0, 1, 2, 3, 4)),
}


@dataclass(frozen=True, kw_only=True)
class SuiteConfig:
    """Which tasks the suite asks, of which methods and choosers, and with how much effort.

    Example:
        >>> config = ls.suite.SuiteConfig(only=["flip"])
        >>> [task.name for task in config.tasks][:1]
        ['drawings of 2 elements: left-right flip']
    """

    size: Literal["smoke", "small", "full"] = "smoke"
    """`smoke`: a few tasks in about a minute; `small`: all on a CPU; `full`: all, better on a GPU."""
    only: Annotated[list[str], Distinct()] = field(default_factory=list)
    """Names of tasks, families or domains; those of the size when empty."""
    methods: Annotated[list[str], Distinct()] = field(default_factory=list)
    """`poses`, `closure`, `axis` and `extent`, which say how symmetric the data are, and names of methods, whose twins
    are trained; these four and `augerino` when empty."""
    choosers: Annotated[list[str], Distinct()] = field(default_factory=list)
    """Choosers of the methods; all that they work with when empty."""
    half: Literal["both", "calibrate", "judge"] = "both"
    """The tasks on which settings may be chosen, those that judge them, or both."""
    seeds: Annotated[list[Seed], Distinct()] = field(default_factory=list)
    """Seeds of examples, weights and batches; those of the size when empty."""
    level: Share = LEVEL
    """Coverage that intervals aim at."""
    workers: Processes = 1
    """Processes that compute side by side, of one thread each."""
    device: str = "cpu"
    """Where networks are trained, such as `cuda`."""

    def __post_init__(self) -> None:
        check_settings(self)
        found = tasks()
        names = [f(task) for f in (_name, _family, _domain) for task in found]
        _check("only", self.only, names, f"one of the families {', '.join(dict.fromkeys(map(_family, found)))}")
        _check("methods", self.methods, METHODS)
        _check("choosers", self.choosers, choosers.registry)
        self._check_pairs()
        needed, held_out = math.ceil(2 / (1 - self.level) - 1e-9), min(self.effort.test, self.effort.val)
        if held_out < needed:
            raise ValueError(
                f"level: got {self.level}, whose intervals need at least {needed} held-out examples, and the size "
                f"{self.size} has {held_out}; take a larger --size or a lower level"
            )
        if not self.tasks:
            raise ValueError(f"half: got {self.half!r}, which leaves no task of those asked for; take both")

    def _check_pairs(self) -> None:
        trained = [methods.registry[name] for name in self.all_methods if name in methods.registry]
        for name in self.choosers:
            if trained and not any(name in method.choosers for method in trained):
                pairs = ", ".join(method.name for method in trained)
                raise ValueError(f"choosers: got {name!r}, with which none of the methods {pairs} works; leave it out")

    @property
    def effort(self) -> Size:
        """The numbers of the size."""
        return SIZES[self.size]

    @property
    def all_methods(self) -> list[str]:
        """The methods that are asked."""
        return self.methods or list(DEFAULT_METHODS)

    @property
    def all_seeds(self) -> list[int]:
        """The seeds, the same for all methods."""
        return self.seeds or list(self.effort.seeds)

    @property
    def tasks(self) -> list[Task]:
        """The tasks that are asked."""
        wanted = self.only or list(self.effort.only)
        return [t for t in tasks(self.half) if not wanted or {_name(t), _family(t), _domain(t)} & set(wanted)]


def _name(task: Task) -> str:
    return task.name


def _family(task: Task) -> str:
    return task.family


def _domain(task: Task) -> str:
    return task.domain


def _check(key: str, given: Sequence[str], known: Iterable[str], one_of: str = "") -> None:
    known = list(known)
    for name in given:
        if name not in known:
            may_be = one_of or f"one of {', '.join(known)}"
            raise ValueError(f"{key}: got {shown(name)}, must be {may_be}; leave it out for the usual ones")
