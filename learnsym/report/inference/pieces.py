"""The pieces of an inference: one a candidate, and one for each half of the labels; each is kept when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.files import replacing
from learnsym.inference import Candidate, InferenceConfig, candidates_of
from learnsym.inference.candidates import chosen_of
from learnsym.inference.closures import closure_of_element
from learnsym.inference.labels import FOLDS, conditions_of, harms_of_fold
from learnsym.inference.laws import law_of, space_law_of
from learnsym.report.run.store import Piece

LABELS = "labels"
POLAR, MOVED, SPACE, TEST, TASK = 0.035, 0.06, 0.12, 0.025, 0.02
"""Seconds of a training step with its reading, roughly: only shares of the whole matter."""


def pieces_of(folder: Path, examples: Path, candidates: list[Candidate], has_labels: bool, config: InferenceConfig,
              points: PointCloud | None, level: float) -> list[Piece]:  # fmt: skip
    """All computations of an inference."""
    given = {"data": _digest(examples), "seed": config.seed, "device": config.device}
    common = {"examples": str(examples), "seed": config.seed, "device": config.device, "points": points}
    # of this process's share; results do not depend on it
    common["memory"] = memory_of_each(config)
    chosen = [c for c in candidates if c.fits]
    pieces = []
    for candidate in chosen:
        options = {"name": candidate.name, "steps": config.steps, "level": level}
        cost = 2 * config.steps * _cost(candidate)
        pieces.append(_piece(folder / f"{candidate.name}.json", candidate_piece, common, given, options, cost))
    for fold in range(FOLDS) if has_labels else ():
        options = {"fold": fold, "steps": config.task_steps, "only": config.only}
        cost = config.task_steps * TASK
        pieces.append(_piece(folder / f"{LABELS}-{fold}.json", labels_piece, common, given, options, cost))
    return pieces


def _piece(path: Path, function: Any, common: dict, given: dict, options: dict, cost: float) -> Piece:  # noqa: ANN401
    return Piece(
        path=path, function=function, arguments={**common, **options}, given={**given, **options}, cost=cost
    )  # fmt: skip


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def memory_of_each(config: InferenceConfig) -> float:
    """The GiB of one process, of those that all have."""
    return config.memory / config.workers


def _cost(candidate: Candidate) -> float:
    if candidate.stage != "law":
        return SPACE if candidate.stage == "space" else TEST
    return POLAR if candidate.name == "rotation" else MOVED


def candidate_piece(
    examples: str, name: str, steps: int, level: float, seed: int, device: str, points: PointCloud | None, memory: float
) -> dict[str, Any]:
    """What is measured for one candidate, by its name."""
    x = opened(examples)[0].to(device)
    candidate = next(c for c in candidates_of(x, points) if c.name == name)
    if candidate.stage == "closure":
        return closure_of_element(x, candidate, steps=steps, seed=seed, memory=memory)
    law = space_law_of if candidate.stage == "space" else law_of
    return law(x, candidate, steps=steps, level=level, seed=seed, memory=memory)


def labels_piece(
    examples: str,
    fold: int,
    only: list[str],
    steps: int,
    seed: int,
    device: str,
    points: PointCloud | None,
    memory: float,
) -> dict[str, Any]:
    """What labels say of all candidates, on one half of the examples."""
    x, y = opened(examples)
    assert y is not None  # since there are labels
    candidates = chosen_of(candidates_of(x, points), only)
    return harms_of_fold(x.to(device), y.to(device), candidates, fold, steps=steps, seed=seed, memory=memory)


def kept(path: Path, x: Tensor, y: Tensor | None) -> None:
    """Write the examples to where all processes read them."""
    arrays = {"x": x.numpy()} if y is None else {"x": x.numpy(), "y": y.numpy()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


@lru_cache(maxsize=1)
def opened(path: str) -> tuple[Tensor, Tensor | None]:
    """The examples that were kept, with their targets."""
    with np.load(path) as arrays:
        y = torch.from_numpy(arrays["y"]) if "y" in arrays.files else None
        return torch.from_numpy(arrays["x"]), y


def curves_of(
    candidates: list[Candidate], harm: list[float], stderr: list[float]
) -> Iterator[tuple[str, list[tuple[float, float, float]]]]:
    """Width, harm and standard error of each candidate, by name."""
    conditions = conditions_of(candidates)
    for candidate in (c for c in candidates if c.fits and c.widths):
        rows = [i for i, condition in enumerate(conditions) if condition.candidate is candidate]
        yield candidate.name, [(conditions[i].width, harm[i], stderr[i]) for i in rows]
