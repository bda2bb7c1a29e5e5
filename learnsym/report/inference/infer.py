"""`infer`: which symmetries do these data have? No network and no configuration of yours is needed."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from learnsym.actions import PointCloud
from learnsym.data import Dataset
from learnsym.degrees import Degree, write_degrees
from learnsym.files import check_folder, write_atomically
from learnsym.inference import Candidate, Finding, InferenceConfig, candidates_of, findings_of
from learnsym.inference.labels import pooled, why_no_labels
from learnsym.inference.verdicts import each_level
from learnsym.report.inference.draw import draw
from learnsym.report.inference.page import render
from learnsym.report.inference.pieces import LABELS, curves_of, kept, pieces_of
from learnsym.report.inference.results import Inference
from learnsym.report.run.store import results

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examples:
    """What is looked at: examples, their targets where there are any, and what the points of clouds carry."""

    x: Tensor
    y: Tensor | None
    name: str
    available: int
    points: PointCloud | None = None


def infer(
    x: Any,  # noqa: ANN401  whatever as_dataset takes
    y: Any = None,  # noqa: ANN401
    *,
    out: str | os.PathLike[str] | None = None,
    config: InferenceConfig | None = None,
    name: str = "data",
    progress: bool = True,
) -> Inference:
    """The symmetries of examples, and those that their labels tolerate.

    *Distribution symmetry* from the examples alone: along each generator (turns, shifts, scale, ...) the range over
    which the data lie, by the law of poses; for each single element (mirrors, quarter turns, ...) whether moved
    examples are told from those that are not. *Task symmetry* from the labels: up to which width of augmentation one
    who has seen moved examples predicts held-out examples as well as before. All verdicts hold together.

    Args:
        x: images `(N, C, H, W)`, grey ones also `(N, H, W)`, or clouds of points `(N, points, 3)`: a tensor or an
            array; or a `Dataset`, which brings its targets along.
        y: labels `(N,)` of classes, or real numbers; None when there are none.
        out: folder for the page, the figures and `symmetry.json`, where finished parts are kept and used again; nothing
            is written when None.
        config: how much is computed.
        name: what the data are called.
        progress: whether to show a bar on a terminal.

    Returns:
        The findings; `inference.summary` says what they mean for training.

    Raises:
        ValueError: before any work, for data that are neither images nor clouds, or too few.

    Example:
        >>> x = torch.rand(40, 1, 8, 8)
        >>> quick = ls.inference.InferenceConfig(examples=40, steps=1, workers=1)
        >>> ls.infer(x, config=quick).finding("hue").words
        'does not fit'
    """
    config = config or InferenceConfig()
    examples = _chosen(_examples(x, y, name), config)
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return _inferred(examples, Path(folder), config, progress)[0]
    folder = check_folder(out)
    inference, candidates = _inferred(examples, folder, config, progress)
    return _written(inference, folder, candidates)


def infer_source(
    source: str,
    out: str | os.PathLike[str],
    config: InferenceConfig | None = None,
    overrides: Sequence[str] = (),
    progress: bool = True,
) -> Inference:
    """The symmetries of a data set by name or path, as `learnsym infer` finds them.

    Args:
        source: whatever `data.name` takes.
        out: folder for the page.
        config: how much is computed.
        overrides: other settings of the data, such as `["--data.size", "32"]`.
        progress: whether to show a bar on a terminal.

    Raises:
        ValueError: before any work, for a source or a setting that is unknown, or data that do not fit.
    """
    from learnsym.data import load_splits
    from learnsym.training.config_file import config_parser, names_in, parse

    for word in overrides:
        if word.startswith("--") and not word.startswith("--data."):
            raise ValueError(f"{word.lstrip('-')}: is no setting of the data; those begin with data.")
    arguments = ["--data.name", source, *overrides]
    data = parse(config_parser(names_in(arguments)), arguments)[0].data
    splits = load_splits(data)
    parts = (splits.train, splits.val, splits.test)
    whole = Dataset(
        torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts]), splits.train.name,
        classes=splits.train.classes, ignore=splits.train.ignore,
        on_input=splits.train.on_input, on_output=splits.train.on_output,
    )  # fmt: skip
    return infer(whole, out=out, config=config, name=data.title, progress=progress)


def _examples(x: Any, y: Any, name: str) -> Examples:  # noqa: ANN401
    if isinstance(x, Dataset):
        if y is not None:
            raise ValueError("y: a Dataset brings its own targets; leave y out")
        target = None if x.on_output is not None else x.y
        return Examples(x.inputs.float(), target, name, len(x), x.on_input)
    inputs = torch.as_tensor(x)
    if inputs.dim() == 3 and inputs.shape[2] != 3:
        inputs = inputs[:, None]
    dataset = Dataset(inputs, torch.zeros(len(inputs)) if y is None else torch.as_tensor(y), name)
    return Examples(dataset.inputs.float(), None if y is None else _column(dataset.y), name, len(inputs))


def _column(y: Tensor) -> Tensor:
    return y.squeeze(1) if y.dim() == 2 and y.shape[1] == 1 else y


def _chosen(examples: Examples, config: InferenceConfig) -> Examples:
    count = len(examples.x)
    if count < 40:
        raise ValueError(f"x: got {count} examples, must be 40 or more; take more data")
    if config.examples >= count:
        return examples
    logger.info("infer: %d of %d examples are taken, at random", config.examples, count)
    rows = torch.randperm(count, generator=torch.Generator().manual_seed(config.seed))[: config.examples]
    y = None if examples.y is None else examples.y[rows]
    return Examples(examples.x[rows], y, examples.name, count, examples.points)


def _inferred(
    examples: Examples, folder: Path, config: InferenceConfig, progress: bool
) -> tuple[Inference, list[Candidate]]:
    candidates = candidates_of(examples.x, examples.points)
    no_labels = why_no_labels(examples.y)
    verdicts = sum(c.fits for c in candidates) * (1 if no_labels else 2)
    path = folder / "analysis" / "examples.npz"
    kept(path, examples.x, None if no_labels else examples.y)
    pieces = pieces_of(
        path.parent, path, candidates, not no_labels, config, examples.points, each_level(config.level, verdicts)
    )
    pieces.sort(key=lambda piece: -piece.cost)  # the longest first, so that processes end together
    found = results(pieces, config.workers, progress, "infer")
    path.unlink()
    by_name = {piece.path.stem: result for piece, result in zip(pieces, found, strict=True)}
    folds = [by_name[key] for key in sorted(by_name) if key.startswith(f"{LABELS}-")]
    findings = findings_of(candidates, by_name, folds, level=config.level, no_labels=no_labels)
    inference = Inference(
        data=examples.name,
        findings=findings,
        degrees=_degrees(findings, candidates, examples.name),
        examples=len(examples.x),
        available=examples.available,
        shape=tuple(examples.x.shape[1:]),
        level=config.level,
        laws={c.name: by_name[c.name] for c in candidates if c.fits},
        harms=dict(curves_of(candidates, *pooled(folds))) if folds else {},
        notes=_notes(examples, config, no_labels),
    )
    return inference, candidates


def _notes(examples: Examples, config: InferenceConfig, no_labels: str) -> tuple[str, ...]:
    few = f"{len(examples.x)} of {examples.available} examples were taken, at random"
    notes = [few] if len(examples.x) < examples.available else []
    notes += [f"labels say nothing about moves: {no_labels}"] if no_labels else []
    together = f"all verdicts hold together with a probability of {config.level:.0%}, by Bonferroni's inequality"
    return (*notes, together, f"seed {config.seed}")


def _degrees(findings: Sequence[Finding], candidates: Sequence[Candidate], data: str) -> list[Degree]:
    by_name = {c.name: c for c in candidates}
    methods = {"law": "pose posterior", "space": "pose posterior on SO(3)", "closure": "closure test"}
    degrees = []
    for finding in findings:
        candidate = by_name[finding.candidate]
        group = candidate.symmetry.name if candidate.symmetry else "none"
        method = "held-out loss over widths" if finding.notion == "task" else methods[candidate.stage]
        degrees.append(finding.degree(group, method, data))
    return degrees


def _written(inference: Inference, folder: Path, candidates: Sequence[Candidate]) -> Inference:
    from dataclasses import replace

    inference = replace(inference, path=folder)
    write_degrees(folder / "symmetry.json", inference.degrees, inference.notes)
    panels = draw(inference, candidates, folder / "figures")
    assert inference.page is not None  # since there is a folder
    write_atomically(inference.page, render(inference, panels).encode())
    logger.info("wrote %s", inference.page)
    return inference
