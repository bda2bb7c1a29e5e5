"""`measure_model`: everything that is measured of one model, written as a symmetry card."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from learnsym._modes import evaluating
from learnsym._version import __version__
from learnsym.files import write_json
from learnsym.measure import exact_sizes
from learnsym.measure._probe import Output, outputs_of
from learnsym.report.card.batches import batch_size_within
from learnsym.report.card.card import Card
from learnsym.report.card.examples import Examples
from learnsym.report.card.page import write_page
from learnsym.report.card.row import Row
from learnsym.report.card.settings import CardSettings
from learnsym.report.card.steps import STEPS, Situation, reach_of
from learnsym.report.card.subject import Subject
from learnsym.symmetry import Symmetry

logger = logging.getLogger(__name__)

FORMAT = 1


def measure_model(
    subject: Subject,
    examples: Examples,
    symmetries: Sequence[str],
    folder: Path,
    settings: CardSettings | None = None,
    *,
    output: Output | None = None,
    progress: bool = True,
) -> Card:
    """Measure a model under named symmetries; write `card.json`, `figures/` and `card.html` in `folder`.

    Each finished step is kept in `card.json`, and is not computed again for the same weights, examples and settings.

    Args:
        subject: the model.
        examples: on which it is measured.
        symmetries: names, see `ls.symmetry.named`.
        folder: where the card is written; made when missing.
        settings: how much is measured.
        output: takes the tensor out of what the model returns.
        progress: whether to show a progress bar on a terminal.

    Raises:
        ValueError: before any work, when a symmetry is unknown or does not fit the examples, or the model cannot take
            them.
    """
    settings = settings or CardSettings()
    named = {name: examples.symmetry(name) for name in symmetries}
    device = next((p.device for p in subject.model.parameters()), torch.device("cpu"))
    x, y = examples.x.to(device), None if examples.y is None else examples.y.to(device)
    for symmetry in named.values():
        symmetry.check_data(x)
    _check_runs(subject.model, x, output)
    batch_size = batch_size_within(subject.model, x, settings.memory)
    logger.info("measuring %s on %d examples of %s, %d at a time", subject.name, len(x), examples.name, batch_size)
    situations = [
        Situation(
            model=subject.model,
            x=x,
            y=y,
            name=name,
            symmetry=symmetry,
            settings=settings,
            batch_size=batch_size,
            output=output,
        )
        for name, symmetry in named.items()
    ]
    steps = _FinishedSteps(folder, _key(subject.model, examples, settings))
    rows, notes = _measured(situations, steps, progress)
    card = Card(
        folder=folder,
        model=subject.name,
        data=examples.name,
        examples=len(x),
        rows=tuple(rows),
        notes=(*subject.notes, *notes, *filter(None, map(reach_of, situations)), *_sizes_note(subject.model, x, named)),
    )
    steps.finish(card)
    write_page(card)
    logger.info("wrote %s", card.page)
    return card


def _measured(situations: Sequence[Situation], finished: _FinishedSteps, progress: bool) -> tuple[list[Row], list[str]]:
    rows: list[Row] = []
    notes: list[str] = []
    planned = [(situation, step) for situation in situations for step in STEPS]
    with tqdm(planned, desc="measuring", disable=None if progress else True, leave=False) as bar:
        for situation, step in bar:
            bar.set_postfix_str(f"{situation.name}: {step}")
            result = finished.load(situation.name, step)
            if result is None:
                result = _result(situation, step)
                finished.save(situation.name, step, result)
            rows += result["rows"]
            notes += result["notes"]
    return rows, notes


def _result(situation: Situation, step: str) -> dict[str, Any]:
    """The rows of one step; a note where this model or symmetry does not allow it. Smaller batches when memory ends."""
    size = situation.batch_size
    try:
        return {"rows": list(STEPS[step](situation)), "notes": []}
    except torch.OutOfMemoryError:
        if size == 1:
            raise
        logger.warning("out of memory with %d examples at a time; trying %d", size, size // 2)
        return _result(replace(situation, batch_size=size // 2), step)
    except (ValueError, NotImplementedError) as error:
        return {"rows": [], "notes": [f"{situation.name}, {step}: not measured ({error})"]}


class _FinishedSteps:
    """Finished steps in `card.json`, for one model, one choice of examples and one setting."""

    def __init__(self, folder: Path, key: str) -> None:
        self.path = folder / "card.json"
        self.key = key
        self.steps: dict[str, dict[str, Any]] = {}
        try:
            content = json.loads(self.path.read_text(encoding="utf8"))
            if content.get("key") == key:
                self.steps = content["steps"]
        except (OSError, ValueError, KeyError, AttributeError):
            pass

    def load(self, symmetry: str, step: str) -> dict[str, Any] | None:
        """What a finished step gave."""
        result = self.steps.get(f"{symmetry}/{step}")
        return result and {"rows": [Row(**row) for row in result["rows"]], "notes": result["notes"]}

    def save(self, symmetry: str, step: str, result: dict[str, Any]) -> None:
        """Keep a finished step."""
        self.steps[f"{symmetry}/{step}"] = {"rows": [asdict(row) for row in result["rows"]], "notes": result["notes"]}
        self._write({})

    def finish(self, card: Card) -> None:
        """Write the whole card."""
        content = {"model": card.model, "data": card.data, "examples": card.examples, "notes": list(card.notes)}
        self._write({**content, "rows": [asdict(row) for row in card.rows]})

    def _write(self, content: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = {"version": FORMAT, **content, "key": self.key, "steps": self.steps}
        write_json(self.path, whole, indent=1)


def _key(model: nn.Module, examples: Examples, settings: CardSettings) -> str:
    """Hash of everything that a step depends on."""
    digest = hashlib.sha256(f"{FORMAT} {__version__} {settings} {model}".encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + _bytes(tensor))
    for tensor in (examples.x, examples.y):
        digest.update(b"none" if tensor is None else _bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""


def _check_runs(model: nn.Module, x: Tensor, output: Output | None) -> None:
    try:
        with evaluating(model):
            outputs_of(model, x[:2], output)
    except (RuntimeError, TypeError, IndexError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"data: the model cannot take inputs of shape {tuple(x.shape[1:])} ({first}); give other data or a size"
        ) from error


def _sizes_note(model: nn.Module, x: Tensor, named: dict[str, Symmetry]) -> list[str]:
    """Whether strided operations are exact at the size of the images, when quarter turns or flips were asked about."""
    if x.ndim != 4 or not {"quarter_turns2d", "square2d", "flip2d", "rotation2d", "orthogonal2d"} & set(named):
        return []
    size = (x.shape[-2], x.shape[-1])
    verdict = exact_sizes(model, [size], channels=x.shape[1]).verdicts[0]
    if verdict.exact:
        return [f"Strided operations commute with quarter turns and flips at {size[0]}×{size[1]} pixels."]
    return [f"Strided operations do not commute with quarter turns and flips: {verdict}."]
