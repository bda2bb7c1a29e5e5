"""A study of scaling: all that the table of a comparison says about laws."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from learnsym.scaling.arm import ArmStudy, study_arm
from learnsym.scaling.pair import PairStudy, study_pair
from learnsym.scaling.runs import Runs, read_runs
from learnsym.scaling.settings import StudySettings

REFERENCE = "plain"


@dataclass(frozen=True, kw_only=True)
class Study:
    """Laws of every arm, and every pair of arms."""

    settings: StudySettings
    arms: tuple[ArmStudy, ...]
    pairs: tuple[PairStudy, ...]
    notes: tuple[str, ...]

    def of(self, first: str, second: str, kind: str | None = None) -> PairStudy | None:
        """The comparison of two arms, by the chosen FLOPs when not told otherwise."""
        wanted = (first, second, kind or self.settings.flops)
        return next((pair for pair in self.pairs if (pair.first, pair.second, pair.kind) == wanted), None)


def study_folder(folder: str | Path, settings: StudySettings | None = None, unfinished: bool = False) -> Study:
    """The study of a comparison.

    Args:
        folder: of `learnsym compare`, with `table.parquet`.
        settings: how.
        unfinished: whether a comparison is taken of which cells are left to train; the notes say so.

    Raises:
        ValueError: when there is no table, cells are left to train, none has finished, or no arm has enough cells for a
            law.
    """
    settings = settings or StudySettings()
    runs, notes = read_runs(folder, settings.loss, unfinished)
    return study(runs, settings, tuple(notes))


def study(runs: list[Runs], settings: StudySettings, notes: tuple[str, ...] = ()) -> Study:
    """The study of the runs of several arms; each pair is of a later and an earlier arm, of which `plain` is first.

    Args:
        runs: of each arm.
        settings: how.
        notes: on the runs, to be kept.

    Raises:
        ValueError: when no arm has enough cells for a law.
    """
    arms = [study_arm(part, settings) for part in runs]
    if not any(arm.law for arm in arms):
        reasons = dict.fromkeys(f"{arm.problem}" for arm in arms)
        raise ValueError(f"folder: no law of any arm: {'; or '.join(reasons)}")
    arms.sort(key=lambda arm: arm.runs.arm != REFERENCE)
    kinds = ("counted", "nominal", "seconds")
    pairs = [
        study_pair(later, earlier, kind, settings)
        for earlier, later in itertools.combinations(arms, 2)
        for kind in kinds
    ]
    problems = [f"{entry}." for entry in pairs if isinstance(entry, str)]
    of_arms = [note for arm in arms for note in arm.notes]
    return Study(
        settings=settings,
        arms=tuple(arms),
        pairs=tuple(entry for entry in pairs if isinstance(entry, PairStudy)),
        notes=tuple(dict.fromkeys([*notes, *of_arms, *problems])),
    )
