"""Task: examples together with the answer that is known about their symmetry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from learnsym.data.dataset import Dataset
from learnsym.data.known.truth import Truth
from learnsym.data.source import Sizes
from learnsym.data.splits import Splits

Half = Literal["calibrate", "judge"]
Change = Callable[[Dataset, int], Dataset]
"""From examples and a seed to moved examples."""
Make = Callable[[Sizes, int], Splits]
"""From numbers of examples and a seed to examples."""
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Twins:
    """Which networks are trained on a task: the symmetry that is learned, and what those are given that are told.

    Args:
        symmetry: name of the symmetry that the learned twin may use.
        oracle: half-width of each generator of the twin that is told the truth.
        exact: name of the symmetry of a compact group of the exact twin; empty for none.
        output: whether targets stay or move with the inputs.
    """

    symmetry: str
    oracle: dict[str, float]
    exact: str = ""
    output: Literal["invariant", "equivariant"] = "invariant"


@dataclass(frozen=True, kw_only=True)
class Task:
    """Examples together with the answer that is known about their symmetry.

    Args:
        name: of the task.
        family: tasks of one family differ in a number or in the examples.
        domain: what the examples are, such as `digits`.
        make: draws the examples.
        change: moves them, a function of examples and a seed; None where the examples are as they are.
        truth: the answer.
        twins: networks that may be trained; None for examples without labels.
        needs: name of the data set that must be there; empty for examples that are drawn or come with the package.
        half: `calibrate`, on which settings may be chosen, or `judge`.

    Example:
        >>> task = ls.data.known.task_by_name("digits rotation 45")
        >>> str(task.truth)
        'rotation: ±45 degree of ±180 (distribution)'
        >>> len(task.splits(0, train=20, val=10, test=10).train)
        20
    """

    name: str
    family: str
    domain: str
    make: Make
    truth: Truth
    twins: Twins | None = None
    change: Change | None = None
    needs: str = ""
    half: Half = "calibrate"

    def splits(self, seed: int, *, train: int, val: int, test: int) -> Splits:
        """Training, validation and test examples.

        Raises:
            ValueError: when the data are not found, or have fewer examples.
        """
        make = self.make if self.change is None else changed(self.make, self.change)
        return make(Sizes(train, val, test), seed)

    def __str__(self) -> str:
        return f"{self.name}: {self.truth}"


def drawn(sample: Callable[[int, int], Dataset]) -> Make:
    """Examples of a simulator, a function of their number and a seed."""

    def make(sizes: Sizes, seed: int) -> Splits:
        return Splits(
            **{split: sample(n, 3 * seed + k) for k, (split, n) in enumerate(zip(SPLITS, sizes, strict=True))}
        )

    return make


def changed(make: Make, change: Change) -> Make:
    """Examples that are changed, by a function of them and a seed."""

    def made(sizes: Sizes, seed: int) -> Splits:
        splits = make(sizes, seed)
        return Splits(**{split: change(getattr(splits, split), 3 * seed + k) for k, split in enumerate(SPLITS)})

    return made
