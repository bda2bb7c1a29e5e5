"""`ls.measure.card`: the symmetry card of any model on any data, in one call."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from learnsym.data import DataConfig, Dataset, as_dataset
from learnsym.measure._probe import Output
from learnsym.nets.sources import of_several
from learnsym.parts import Whole
from learnsym.report.card.card import Card
from learnsym.report.card.examples import Examples, load_examples
from learnsym.report.card.measuring import measure_model
from learnsym.report.card.output_as import OutputAs
from learnsym.report.card.outputs import output_named
from learnsym.report.card.settings import CardSettings
from learnsym.report.card.subject import Subject, load_subject

Array = Tensor | np.ndarray
Data = object
"""A source in words, `x` or `(x, y)`, a `Dataset`, a torch `Dataset` or `DataLoader`, or `Examples`."""


class Function(nn.Module):
    """Any function of a batch as a module without weights."""

    def __init__(self, function: Callable[[Any], object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any) -> object:  # noqa: ANN401  whatever the function takes
        """What the function gives."""
        return self.function(x)


def card(
    model: nn.Module | Callable[[Any], object] | str,
    data: Data,
    symmetries: str | Sequence[str],
    *,
    moves: str = "",
    out: str | Path | None = None,
    output: str | Output | None = None,
    output_as: OutputAs | None = None,
    settings: CardSettings | None = None,
) -> Card:
    """The symmetry card of a model: how far it is symmetric, in words, as a table and as a page.

    Args:
        model: any module or function of a batch, or a MODEL as the command line takes it.
        data: inputs `(N, ...)`, or inputs and targets, as tensors or arrays; a dict or tuple of inputs, such as
            `({"image": images, "age": ages}, y)`, for a model with several; a `Dataset`; a torch `Dataset` or a
            `DataLoader`, which is read once; or a SOURCE as the command line takes it. At most `settings.examples` of
            them are measured, drawn at random.
        symmetries: a name or names, see `ls.symmetry.named`.
        moves: key of the input that symmetries move, for several inputs; the first by default, which the card says.
        out: folder of the card, which is kept and not computed again; a temporary one when None.
        output: the part of what the model returns, by key or by a function.
        output_as: how outputs move when inputs do; guessed by shape when None, and said on the card.
        settings: how much is measured, within which ranges and tolerance.

    Returns:
        The card: `print(card)` shows the answer and the table, a notebook the page, `card.page` is its path.

    Raises:
        ValueError: before any work, for a model, data or a symmetry that do not fit together.

    Example:
        >>> pool = lambda x: x.mean((2, 3))
        >>> settings = ls.report.card.CardSettings(layers=False, samples=2)
        >>> found = ls.measure.card(pool, torch.rand(4, 1, 4, 4), "flip2d", settings=settings)
        >>> ls.report.card.verdict(found)
        ['Exactly invariant to mirror images.']
    """
    settings = settings or CardSettings()
    folder = Path(tempfile.mkdtemp(prefix="learnsym-card-")) if out is None else Path(out)
    names = [symmetries] if isinstance(symmetries, str) else list(symmetries)
    take = output_named(output) if isinstance(output, str) else output
    examples = examples_of(data, settings.examples, settings.seed, moves)
    subject = subject_of(model, examples.x, examples.moves)
    return measure_model(subject, examples, names, folder, settings, output=take, output_as=output_as)


def subject_of(model: nn.Module | Callable[[Any], object] | str, x: Whole = None, moves: str = "") -> Subject:
    """A model with a name, which takes examples such as `x`, of which one part moves.

    Raises:
        ValueError: for what cannot be called.
    """
    if isinstance(model, str):
        return load_subject(model, x=x, moves=moves)
    if isinstance(model, nn.Module):
        return Subject(name=type(model).__name__, model=of_several(model, x))
    if not callable(model):
        raise ValueError(f"model: got a {type(model).__name__}, must be a module, a function or a name; give one")
    return Subject(name=getattr(model, "__name__", type(model).__name__), model=Function(model))


def examples_of(data: Data, count: int, seed: int = 0, moves: str = "") -> Examples:
    """At most `count` examples of whatever holds them, the same for the same seed."""
    if isinstance(data, str):
        reading = DataConfig(name=data, moves=moves).reading if moves else None
        return load_examples(data, count, seed=seed, reading=reading)
    found = data if isinstance(data, Examples | Dataset) else _of_objects(data, moves)
    rows = torch.arange(len(found))
    if len(found) > count:
        rows = torch.randperm(len(found), generator=torch.Generator().manual_seed(seed))[:count]
    if isinstance(found, Dataset):
        return Examples.of(as_dataset(found, moves=moves), rows)
    if moves and moves != found.moves:
        raise ValueError(
            f"moves: got {moves!r}, and examples of which {found.moves!r} moves; give it in their signature"
        )
    return found.subset(rows)


def _of_objects(data: object, moves: str) -> Examples | Dataset:
    """Arrays as they are, since their axes have the order that the model takes; all else by the rule for data."""
    x, y = data if isinstance(data, (tuple, list)) and len(data) == 2 else (data, None)
    if isinstance(x, Array) and isinstance(y, Array | None):
        if moves:
            raise ValueError(f"moves: got {moves!r} for inputs of one tensor; leave it out")
        return Examples(name="data", x=_tensor(x), y=None if y is None else torch.as_tensor(y))
    return as_dataset(data, moves=moves)


def _tensor(x: Array) -> Tensor:
    """A tensor; numbers of numpy, which are double by default, in the precision of networks."""
    if isinstance(x, Tensor):
        return x
    return torch.as_tensor(x).float() if x.dtype == np.float64 else torch.as_tensor(x)
