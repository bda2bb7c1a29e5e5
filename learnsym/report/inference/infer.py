"""`infer`: which symmetries do these data have? No network and no configuration of yours is needed."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from learnsym._batches import NeedsMore
from learnsym.data import DataConfig, Dataset, as_dataset
from learnsym.data.own.reading import Layout
from learnsym.degrees import Degree, write_degrees
from learnsym.files import check_folder, write_atomically
from learnsym.inference import Candidate, Finding, InferenceConfig, candidates_of, findings_of
from learnsym.inference.candidates import chosen_of
from learnsym.inference.labels import pooled, why_no_labels
from learnsym.inference.room import check_room
from learnsym.inference.verdicts import each_level
from learnsym.report.inference.draw import draw
from learnsym.report.inference.examples import Examples, examples_of, examples_of_config
from learnsym.report.inference.page import render
from learnsym.report.inference.pieces import LABELS, curves_of, kept, memory_of_each, pieces_of
from learnsym.report.inference.results import Inference
from learnsym.report.run.store import results

logger = logging.getLogger(__name__)


def infer(
    x: object,
    y: object = None,
    *,
    out: str | os.PathLike[str] | None = None,
    config: InferenceConfig | None = None,
    name: str = "data",
    layout: Layout | None = None,
    progress: bool = True,
) -> Inference:
    """The symmetries of examples, and those that their labels tolerate.

    *Distribution symmetry* from the examples alone: along each generator (turns, shifts, scale, ...) the range over
    which the data lie, by the law of poses; for each single element (mirrors, quarter turns, ...) whether moved
    examples are told from those that are not. *Task symmetry* from the labels: up to which width of augmentation one
    who has seen moved examples predicts held-out examples as well as before. All verdicts hold together.

    Args:
        x: images `(N, C, H, W)`, `(N, H, W, C)` or `(N, H, W)`, or clouds of points `(N, points, 3)`: a tensor or an
            array; or a `Dataset` or a loader, which brings its targets along.
        y: labels `(N,)` of classes, or real numbers; None when there are none.
        out: folder for the page, the figures and `symmetry.json`, where finished parts are kept and used again; nothing
            is written when None.
        config: how much is computed.
        name: what the data are called.
        layout: order of the axes of `x`, where sizes do not tell it, such as `cloud`.
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
    if isinstance(x, Dataset) and y is not None:
        raise ValueError("y: a Dataset brings its own targets; leave y out")
    data = as_dataset(x if y is None else (x, y), name=name, layout=layout)
    return _answered(examples_of([data], name, config.examples, config.seed), out, config, progress)


def infer_source(
    data: DataConfig,
    out: str | os.PathLike[str] | None = None,
    config: InferenceConfig | None = None,
    progress: bool = True,
) -> Inference:
    """The symmetries of a data set by name or path, as `learnsym infer` finds them.

    Args:
        data: which data, and how they are read.
        out: folder for the page.
        config: how much is computed.
        progress: whether to show a bar on a terminal.

    Raises:
        ValueError: before any work, for a source or a setting that is unknown, or data that do not fit.
    """
    config = config or InferenceConfig()
    return _answered(examples_of_config(data, config.examples, config.seed), out, config, progress)


def _answered(
    examples: Examples, out: str | os.PathLike[str] | None, config: InferenceConfig, progress: bool
) -> Inference:
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return _inferred(examples, Path(folder), config, progress)[0]
    folder = check_folder(out)
    inference, candidates = _inferred(examples, folder, config, progress)
    return _written(inference, folder, candidates)


def _inferred(
    examples: Examples, folder: Path, config: InferenceConfig, progress: bool
) -> tuple[Inference, list[Candidate]]:
    candidates = chosen_of(candidates_of(examples.x, examples.points), config.only)
    no_labels = why_no_labels(examples.y)
    try:
        check_room(examples.x, candidates, not no_labels, memory_of_each(config))
    except NeedsMore as error:
        raise error.of(config.workers) from None
    for note in _taken(examples):
        logger.info("%s: %s", examples.name, note)
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
    notes = [f"labels say nothing about moves: {no_labels}"] if no_labels else []
    together = f"the level of {config.level:.0%} is shared among all verdicts, by Bonferroni's inequality"
    return (*_taken(examples), *notes, together, f"seed {config.seed}")


def _taken(examples: Examples) -> tuple[str, ...]:
    few = f"{len(examples.x)} of {examples.available} examples were taken, at random"
    return (*examples.notes, *([few] if len(examples.x) < examples.available else []))


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
    inference = replace(inference, path=folder)
    write_degrees(folder / "symmetry.json", inference.degrees, inference.notes)
    panels = draw(inference, candidates, folder / "figures")
    assert inference.page is not None  # since there is a folder
    write_atomically(inference.page, render(inference, panels).encode())
    logger.info("wrote %s", inference.page)
    return inference
