"""`ls.measure.card`: the symmetry card of any model on any data, in one call."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from learnsym.data import Dataset
from learnsym.measure._probe import Output
from learnsym.report.card.card import Card
from learnsym.report.card.examples import Examples, load_examples
from learnsym.report.card.measuring import measure_model
from learnsym.report.card.output_as import OutputAs
from learnsym.report.card.outputs import output_named
from learnsym.report.card.settings import CardSettings
from learnsym.report.card.subject import Subject, load_subject

Array = Tensor | np.ndarray
Data = str | Dataset | Examples | Array | tuple[Array, Array]


class Function(nn.Module):
    """Any function of a batch as a module without weights."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> object:
        """What the function gives."""
        return self.function(x)


def card(
    model: nn.Module | Callable[[Tensor], object] | str,
    data: Data,
    symmetries: str | Sequence[str],
    *,
    out: str | Path | None = None,
    output: str | Output | None = None,
    output_as: OutputAs | None = None,
    settings: CardSettings | None = None,
) -> Card:
    """The symmetry card of a model: how far it is symmetric, in words, as a table and as a page.

    Args:
        model: any module or function of a batch, or a MODEL as the command line takes it.
        data: inputs `(N, ...)`, or inputs and targets, as tensors or arrays; a `Dataset`; or a SOURCE as the command
            line takes it. At most `settings.examples` of them are measured, drawn at random.
        symmetries: a name or names, see `ls.symmetry.named`.
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
        >>> settings = ls.report.card.CardSettings(layers=False)
        >>> found = ls.measure.card(pool, torch.rand(8, 1, 6, 6), "quarter_turns2d", settings=settings)
        >>> ls.report.card.verdict(found)
        ['Exactly invariant to quarter turns.']
    """
    settings = settings or CardSettings()
    folder = Path(tempfile.mkdtemp(prefix="learnsym-card-")) if out is None else Path(out)
    names = [symmetries] if isinstance(symmetries, str) else list(symmetries)
    take = output_named(output) if isinstance(output, str) else output
    examples = examples_of(data, settings.examples, settings.seed)
    return measure_model(subject_of(model), examples, names, folder, settings, output=take, output_as=output_as)


def subject_of(model: nn.Module | Callable[[Tensor], object] | str) -> Subject:
    """A model with a name.

    Raises:
        ValueError: for what cannot be called.
    """
    if isinstance(model, str):
        return load_subject(model)
    if isinstance(model, nn.Module):
        return Subject(name=type(model).__name__, model=model)
    if not callable(model):
        raise ValueError(f"model: got a {type(model).__name__}, must be a module, a function or a name; give one")
    return Subject(name=getattr(model, "__name__", type(model).__name__), model=Function(model))


def examples_of(data: Data, count: int, seed: int = 0) -> Examples:
    """At most `count` examples of whatever holds them, the same for the same seed."""
    if isinstance(data, str):
        return load_examples(data, count, seed=seed)
    everything = data if isinstance(data, Examples) else _examples(data)
    if len(everything.x) <= count:
        return everything
    rows = torch.randperm(len(everything.x), generator=torch.Generator().manual_seed(seed))[:count]
    y = None if everything.y is None else everything.y[rows]
    return Examples(name=everything.name, x=everything.x[rows], y=y, signature=everything.signature, rows=rows)


def _examples(data: Dataset | Array | Iterable[Array]) -> Examples:
    if isinstance(data, Dataset):
        return Examples(name=data.name, x=data.inputs, y=data.y, signature=data.signature)
    x, y = data if isinstance(data, (tuple, list)) and len(data) == 2 else (data, None)
    if not isinstance(x, (Tensor, np.ndarray)) or not isinstance(y, (Tensor, np.ndarray, type(None))):
        raise ValueError(f"data: got {type(data).__name__}, must be x, (x, y), a Dataset or a source; give tensors")
    return Examples(name="data", x=_tensor(x), y=None if y is None else torch.as_tensor(y))


def _tensor(x: Array) -> Tensor:
    """A tensor; numbers of numpy, which are double by default, in the precision of networks."""
    if isinstance(x, Tensor):
        return x
    return torch.as_tensor(x).float() if x.dtype == np.float64 else torch.as_tensor(x)
