"""What a study asks, kept in its folder: the same call continues it, another one is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learnsym.data import Splits
from learnsym.files import read_json, write_json
from learnsym.report.run.own import STUDY
from learnsym.studies.examples import digest
from learnsym.studies.recipe import Recipe


def question_of(recipe: Recipe, names: Sequence[str], splits: Splits, label: str) -> dict[str, Any]:
    """What the results depend on, as plain values."""
    settings = asdict(recipe.settings)
    settings.pop("device")
    return {
        "symmetries": names,
        "symmetry": recipe.symmetry.name,
        "data": digest(splits),
        "label": label,
        **settings,
        "loss": asdict(recipe.loss),
        "examples": [len(part) for part in (splits.train, splits.val, splits.test)],
    }


def begin(folder: Path, question: dict[str, Any]) -> None:
    """Write the question of a study, or compare it with the one that is there."""
    path = folder / STUDY
    if not path.is_file():
        others = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
        if others:
            raise ValueError(f"out: {folder} is not a study, but holds {others[0]}; name another folder")
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, question, indent=2)
    kept = read_json(path, "study", "name another folder")
    for key, value in json.loads(json.dumps(question)).items():
        if kept.get(key) != value:
            raise ValueError(
                f"{key}: got {value}, but the study in {folder} was made with {kept.get(key)}; use that to continue "
                "it, or another out"
            )
