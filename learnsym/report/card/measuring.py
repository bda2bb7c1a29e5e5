"""`measure_model`: everything that is measured of one model, written as a symmetry card."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from learnsym._batches import batch_size_within
from learnsym._modes import keeping_buffers
from learnsym._reasons import first_line, reason_of
from learnsym.data.inputs import on
from learnsym.measure._probe import Output
from learnsym.report.card.card import Card
from learnsym.report.card.examples import Examples
from learnsym.report.card.fields import fields_note, with_fields
from learnsym.report.card.fingerprint import fingerprint
from learnsym.report.card.finished import FinishedSteps, Found
from learnsym.report.card.folder import check_folder, make_folder
from learnsym.report.card.output_as import OutputAs, read_outputs
from learnsym.report.card.page import write_page
from learnsym.report.card.ranges import check_ranges, tried
from learnsym.report.card.row import Row
from learnsym.report.card.settings import CardSettings
from learnsym.report.card.situation import Situation
from learnsym.report.card.sizes import sizes_note
from learnsym.report.card.steps import STEPS
from learnsym.report.card.subject import Subject
from learnsym.report.card.table import text_table
from learnsym.report.card.task import Task, task_of
from learnsym.report.card.trial import check_takes, outputs_on
from learnsym.symmetry import Symmetry

logger = logging.getLogger(__name__)


def measure_model(
    subject: Subject,
    examples: Examples,
    symmetries: Sequence[str],
    folder: Path,
    settings: CardSettings | None = None,
    *,
    output: Output | None = None,
    output_as: OutputAs | None = None,
    progress: bool = True,
) -> Card:
    """Measure a model under named symmetries; write `card.json`, `figures/` and `card.html` in `folder`.

    Each finished step is kept in `card.json`, and is not computed again for the same question: model (weights, code and
    what it gives), output, examples, symmetry, settings, device and version. A step that fails leaves a note, and the
    others stand.

    Args:
        subject: the model.
        examples: on which it is measured.
        symmetries: names, see `ls.symmetry.named`.
        folder: where the card is written; made when missing.
        settings: how much is measured.
        output: takes the tensor out of what the model returns.
        output_as: how outputs move when inputs do; guessed by shape when None, and said on the card.
        progress: whether to show a progress bar on a terminal.

    Raises:
        ValueError: before any work, when a symmetry is unknown, given twice or does not fit the examples, the model
            cannot take them or gives values that are not finite, or nothing can be written to the folder.
    """
    settings, folder = settings or CardSettings(), Path(folder)
    check_folder(folder)
    if len(examples) < 2:
        raise ValueError(f"data: {examples.name} gives one example, must be at least 2 for a standard error; give more")
    named = _named(examples, symmetries)
    check_ranges(settings.ranges, [symmetry.group for symmetry in named.values()])
    with keeping_buffers(subject.model):
        situations, said = _situations(subject, examples, named, settings, output, output_as)
        make_folder(folder)
        for note in examples.notes:
            logger.info("%s: %s", examples.name, note)
        logger.info("measuring %s on %d examples of %s", subject.name, len(examples), examples.name)
        steps = FinishedSteps(folder, {situation.name: fingerprint(situation) for situation in situations})
        with steps.kept_when_stopped():
            found = _measured(situations, steps, progress)
        of_steps = [note for note in found if isinstance(note, str)]
        notes = [*subject.notes, *examples.said, *said, *of_steps, *sizes_note(situations)]
    card = _card(folder, subject, examples, situations, found, notes)
    card = replace(card, text=text_table(card))
    steps.finish(card)
    write_page(card)
    logger.info("wrote %s", card.page)
    return card


def _card(
    folder: Path,
    subject: Subject,
    examples: Examples,
    situations: Sequence[Situation],
    found: Found,
    notes: Sequence[str],
) -> Card:
    task, settings = situations[0].task, situations[0].settings
    return Card(
        folder=folder,
        model=subject.name,
        data=examples.name,
        examples=len(examples),
        task=task.rows,
        doubt=task.doubt,
        tolerance=settings.tolerance,
        symmetries=tuple(situation.name for situation in situations),
        rows=tuple(row for row in found if isinstance(row, Row)),
        notes=tuple(dict.fromkeys((*task.notes, *notes))),
        tried={situation.name: tried(situation.group, settings.ranges) for situation in situations},
        moving=tuple(situation.name for situation in situations if not situation.is_invariance),
    )


def _named(examples: Examples, symmetries: Sequence[str]) -> dict[str, Symmetry]:
    twice = [name for name in symmetries if list(symmetries).count(name) > 1]
    if twice:
        raise ValueError(f"symmetry: got {twice[0]!r} twice; name each once")
    named = {name: examples.symmetry(name) for name in symmetries}
    for symmetry in named.values():
        symmetry.check_data(examples.x)
    return named


def _situations(
    subject: Subject,
    examples: Examples,
    named: dict[str, Symmetry],
    settings: CardSettings,
    output: Output | None,
    output_as: str | None,
) -> tuple[list[Situation], list[str]]:
    """Each symmetry with the model, which has been tried on all examples; and what was assumed, in sentences."""
    device = next((t.device for t in chain(subject.model.parameters(), subject.model.buffers())), torch.device("cpu"))
    x, y = on(device, examples.x), None if examples.y is None else examples.y.to(device)
    check_takes(subject.model, x, output)
    batch_size = batch_size_within(subject.model, x, settings.memory)
    outputs = outputs_on(subject.model, examples, x, output, batch_size)
    noted: list[str] = []
    if output is None and output_as is None:
        noted = [note for each in named.values() for note in fields_note(each, subject.model)]
        named = {name: with_fields(each, subject.model) for name, each in named.items()}
    readings = {name: read_outputs(each, x, outputs, y, output, output_as) for name, each in named.items()}
    task = _task(outputs, y, output_as)
    situations = [
        Situation(
            model=subject.model,
            x=x,
            y=y,
            outputs=outputs,
            task=task,
            name=name,
            symmetry=reading.symmetry,
            settings=settings,
            batch_size=batch_size,
            output=reading.output,
        )
        for name, reading in readings.items()
    ]
    return situations, list(dict.fromkeys([*(reading.said for reading in readings.values()), *noted]))


def _task(outputs: Tensor, y: Tensor | None, output_as: str | None) -> Task:
    task = task_of(outputs, y)
    scores = output_as == "labels" and outputs.is_floating_point() and outputs.ndim > 2 and outputs.shape[1] > 1
    return replace(task, is_classes=True) if scores else task


def _measured(situations: Sequence[Situation], finished: FinishedSteps, progress: bool) -> Found:
    found: Found = []
    planned = [(situation, step) for situation in situations for step in STEPS]
    with tqdm(planned, desc="measuring", disable=None if progress else True, leave=False) as bar:
        for situation, step in bar:
            bar.set_postfix_str(f"{situation.name}: {step}")
            kept = finished.load(situation.name, step)
            found += _computed(situation, step, finished) if kept is None else kept
    return found


def _computed(situation: Situation, step: str, finished: FinishedSteps) -> Found:
    """What a step gives, which is kept; a note, which is not, where this model or symmetry does not allow it."""
    try:
        found = _result(situation, step)
    except (ValueError, NotImplementedError) as error:
        return [f"{situation.name}, {step}: not measured ({first_line(error)})"]
    except Exception as error:  # of the user's model, or of torch: the other rows stand
        logger.warning("%s, %s failed: %s", situation.name, step, reason_of(error))
        return [f"{situation.name}, {step}: not measured, since it failed ({reason_of(error)})"]
    finished.save(situation.name, step, found)
    return found


def _result(situation: Situation, step: str) -> Found:
    """The rows of one step, in smaller batches when memory ends."""
    size = situation.batch_size
    try:
        return _with_warnings(situation, step)
    except torch.OutOfMemoryError:
        if size == 1:
            raise
        logger.warning("out of memory with %d examples at a time; trying %d", size, size // 2)
    return _result(replace(situation, batch_size=size // 2), step)


def _with_warnings(situation: Situation, step: str) -> Found:
    """The rows of one step, and what measures warn of the model as notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        rows = list(STEPS[step](situation))
    said = dict.fromkeys(str(warning.message) for warning in caught)
    notes = [text for text in said if text.startswith("model:")]
    for text in said.keys() - notes:
        warnings.warn(text, stacklevel=2)
    return [*rows, *notes]
