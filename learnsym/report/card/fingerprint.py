"""What a finished step depends on, as a hash: the model by what it does, not only by its weights."""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from torch import Tensor, nn

from learnsym._batches import observable
from learnsym._modes import evaluating
from learnsym._version import __version__
from learnsym.measure.moves import Moves
from learnsym.parts import Whole, chosen, device_of, joined, parts_of
from learnsym.report.card.situation import Situation

logger = logging.getLogger(__name__)

FORMAT = 3
"""Raised when a step measures something else, so that kept steps of older versions are not used."""

TRIED = 4
"""Examples on which all modules are compared."""


class _Hash:
    """A file that keeps the hash of what is written."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def write(self, content: bytes | memoryview) -> int:
        self.digest.update(content)
        return len(content)

    def flush(self) -> None:
        pass


def fingerprint(situation: Situation) -> str | None:
    """Hash of all that a step's numbers depend on; None where it cannot be known, so that nothing is kept.

    Weights and other state, the files of the classes, versions, device, settings, symmetry, examples, outputs on all
    examples, and what each module gives for a few moved ones: attributes, closures and the choice of an output show
    there.
    """
    model, symmetry = situation.model, situation.symmetry
    try:
        return _digest(
            [
                *(FORMAT, __version__, torch.__version__, str(device_of(situation.x)), str(situation.settings)),
                *(situation.name, repr(symmetry), repr(model), sorted(_sources(model))),
                *(model.state_dict(), situation.x, situation.y, situation.outputs, _answers(situation)),
            ]
        )
    except Exception as error:  # state of any kind, in modules of any kind
        logger.info("%s: finished steps are not kept (the model cannot be hashed: %s)", situation.name, error)
        return None


def _digest(content: object) -> str:
    written = _Hash()
    torch.save(content, written)  # type: ignore[arg-type]  # knows sparse and quantised tensors and other state
    return written.digest.hexdigest()


def _sources(model: nn.Module) -> Iterator[str]:
    """Hashes of the files in which the classes of the modules are written."""
    for kind in {type(module) for module in model.modules()}:
        with suppress(OSError, TypeError):  # a class without a file, such as one of a notebook
            yield hashlib.sha256(Path(inspect.getfile(kind)).read_bytes()).hexdigest()


def _answers(situation: Situation) -> list[object]:
    """What every module gives for a few examples, as they are and moved, and how outputs change with them."""
    x = chosen(situation.x, slice(0, TRIED))
    moves = Moves(situation.symmetry, 2, situation.distribution, situation.settings.seed)
    seen = joined([x, *(situation.symmetry.on_input(g, x) for g in moves.stratified(x))])
    with evaluating(situation.model), torch.no_grad(), _recorded(situation.model) as answers:
        situation.model(seen)
    return [*answers, _slopes(situation, x)]


@contextmanager
def _recorded(model: nn.Module) -> Iterator[list[object]]:
    answers: list[object] = []

    def keep(module: nn.Module, args: tuple, out: object) -> None:
        given = [out] if isinstance(out, Tensor) else list(parts_of(out).values())
        answers.append(_digest([part for part in given if isinstance(part, Tensor)]))

    handles = [module.register_forward_hook(keep) for module in observable(model)]
    try:
        yield answers
    finally:
        for handle in handles:
            handle.remove()


def _slopes(situation: Situation, x: Whole) -> Tensor | str:
    """Norms of the gradient of each example's outputs: a detached input shows in nothing else."""
    moving = situation.symmetry.moving(x).detach().clone().requires_grad_()
    try:
        with evaluating(situation.model), torch.enable_grad():
            returned = situation.model(situation.symmetry.on_input.part.put(x, moving))
            outputs = returned if situation.output is None else situation.output(returned)
            (slope,) = torch.autograd.grad(outputs.sum(), moving)
    except RuntimeError as error:
        return type(error).__name__
    return slope.flatten(1).norm(dim=1)
