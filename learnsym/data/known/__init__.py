"""Tasks whose symmetry is known: the yardstick of whatever says how much symmetry there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from learnsym._settings import shown
from learnsym.data.known.elements import element_tasks
from learnsym.data.known.labels import label_tasks
from learnsym.data.known.laws import Along, Among, Everywhere, Law
from learnsym.data.known.mixed import mixed_tasks
from learnsym.data.known.moves import move_tasks
from learnsym.data.known.rotation import rotation_tasks
from learnsym.data.known.space import space_tasks
from learnsym.data.known.task import Half, Task, Twins
from learnsym.data.known.truth import Axis, Closed, Range, Truth

__all__ = [
    "Along",
    "Among",
    "Axis",
    "Closed",
    "Everywhere",
    "Half",
    "Law",
    "Range",
    "Task",
    "Truth",
    "Twins",
    "task_by_name",
    "tasks",
]


HALVES: tuple[Half, Half] = ("calibrate", "judge")


@lru_cache(maxsize=1)
def _all() -> tuple[Task, ...]:
    found = [*rotation_tasks(), *move_tasks(), *element_tasks(), *mixed_tasks(), *label_tasks(), *space_tasks()]
    return tuple(_halved(found))


def _halved(found: Sequence[Task]) -> list[Task]:
    """Tasks by family, of which every other one judges; a task that is added at the end of a family moves no other."""
    by_family = groupby(sorted(found, key=attrgetter("family")), attrgetter("family"))
    return [
        replace(task, half=HALVES[(place + len(family)) % 2])
        for family, members in by_family
        for place, task in enumerate(members)
    ]


def tasks(half: str = "both") -> list[Task]:
    """All tasks, in the order of their families.

    Args:
        half: `calibrate`, on which settings may be chosen, `judge`, or `both`. The split is fixed, and as even as
            possible in each family.

    Raises:
        ValueError: for another half.

    Example:
        >>> len(ls.data.known.tasks()) >= 60
        True
    """
    if half not in ("both", "calibrate", "judge"):
        raise ValueError(f"half: got {shown(half)}, must be one of both, calibrate, judge")
    return [task for task in _all() if half in ("both", task.half)]


def task_by_name(name: str) -> Task:
    """The task of a name.

    Raises:
        ValueError: when there is none.
    """
    for task in _all():
        if task.name == name:
            return task
    families = ", ".join(dict.fromkeys(task.family for task in _all()))
    raise ValueError(f"task: got {shown(name)}, must be one that ls.data.known.tasks() lists; families are {families}")
