"""The law of poses of the examples of a study: distribution symmetry, without labels and without its network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from learnsym import measure
from learnsym.data import Splits
from learnsym.files import read_json, write_json
from learnsym.measure.config import PoseConfig
from learnsym.report.run.own import POSES
from learnsym.report.run.pieces import law_of, moving
from learnsym.symmetry import Symmetry, symmetry_by_name

NAMED = {
    "rotation": "rotation2d",
    "translation_x": "translation2d",
    "translation_y": "translation2d",
    "scale": "scale2d",
}
"""The symmetry by which poses along a generator are read."""


def keep_poses(symmetry: Symmetry, splits: Splits, settings: PoseConfig, folder: Path, level: float) -> None:
    """Infer the laws of poses of training and validation inputs, and keep them; those that are kept stay."""
    path = folder / POSES
    kept = read_json(path, "study", "delete it and call ls.study again")["laws"] if path.is_file() else {}
    names = [generator.name for generator in symmetry.group.generators]
    for name in settings.generators:
        if name in names and name in NAMED and name not in kept and len(splits.train.in_shape) == 3:
            kept[name] = _law(name, splits, settings, level)
            write_json(path, {"laws": kept})


def _law(generator: str, splits: Splits, settings: PoseConfig, level: float) -> dict[str, Any]:
    count = settings.examples or len(splits.train) + len(splits.val)
    x = torch.cat([moving(part, count) for part in (splits.train, splits.val)])[:count]
    options = {"steps": settings.steps, "folds": settings.folds, "level": level}
    try:
        posterior = measure.pose_posterior(x, symmetry_by_name(NAMED[generator]), generator, **options)
    except ValueError as error:
        return {"reason": f"No law of poses along {generator!r}: {error}."}
    return {"law": law_of(posterior), "degrees": [vars(degree) for degree in posterior.degrees()]}
