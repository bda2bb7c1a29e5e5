"""The one place through which measures call a model: it gets copies, its outputs are copied, and it stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from learnsym import _escnn
from learnsym._modes import evaluating, keeping_buffers, module_of
from learnsym.measure._probe import (
    Model,
    Output,
    as_numbers,
    check_outputs,
    check_probe,
    floating,
    is_exported,
    tensor_of,
)
from learnsym.measure._steadiness import depends_on_mates
from learnsym.parts import WHOLE, Part, Whole, chosen, examples, joined, mapped, split


@dataclass(frozen=True, eq=False)
class Reader:
    """A model as measures call it; made by `reading`."""

    model: Model
    output: Output | None
    batch_size: int
    """Examples per call."""
    least: int = 1
    """The smallest batch that the model takes; smaller ones are filled up with copies of their last example."""
    part: Part = WHOLE
    """What of a batch is given, see `of_part`."""
    rest: Whole = None
    """The batch of which a part is given."""

    def __call__(self, x: Whole) -> Tensor:
        """`f(x)`, in floating point.

        Raises:
            ValueError: for outputs that are not one real, finite tensor with a row per example.
        """
        return self._outputs(split(x, self.batch_size))

    def of_part(self, part: Part, whole: Whole) -> Reader:
        """For one batch, the same as a function of one part of it alone; also of the part of its first examples."""
        return replace(self, part=part, rest=whole)

    def moved(self, move: Callable[[Tensor, Whole], Whole], g: Tensor, x: Whole) -> Tensor:
        """`f(g·x)`; no more than a batch of moved examples exists at a time."""
        parts = zip(g.split(self.batch_size), split(x, self.batch_size), strict=True)
        return self._outputs(move(*pair) for pair in parts)

    def transformed(self, transform: Callable[[Whole], Whole], x: Whole) -> Tensor:
        """`f(t(x))` for any transformation of a batch."""
        return self._outputs(_transformed(transform, part) for part in split(x, self.batch_size))

    def batch(self, x: Whole) -> Tensor:
        """What the model returns for one batch, which it may overwrite; derivatives are carried through."""
        count = examples(x)
        whole = self.part.put(chosen(self.rest, slice(0, count)), x)
        missing = self.least - count
        if missing <= 0:
            return tensor_of(self.model(whole), count, self.output)
        full = joined([whole, *[chosen(whole, slice(count - 1, count))] * missing])
        return tensor_of(self.model(full), self.least, self.output)[:count]

    def real(self, x: Whole) -> Tensor:
        """The outputs of one batch, of which a derivative is taken."""
        return floating(self.batch(mapped(torch.clone, x))).clone()

    def copied(self, x: Whole) -> Tensor:
        """The outputs of one batch, as they were at this call."""
        return self.batch(mapped(torch.clone, x)).clone()

    def _outputs(self, parts: Iterable[Whole]) -> Tensor:
        outputs = torch.cat([as_numbers(self.copied(part)) for part in parts])
        check_outputs(outputs)
        return outputs


@contextmanager
def reading(model: Model, x: Whole, output: Output | None = None, batch_size: int = 64) -> Iterator[Reader]:
    """A model in evaluation mode, without gradients; its buffers and modes are put back afterwards.

    A few examples are read twice first: a model that answers otherwise the second time is named in a warning, and one
    whose outputs depend on the other examples of a batch gets each example alone.

    Args:
        model: any callable of a batch.
        x: the examples that will be read, moved or not.
        output: takes the tensor out of what the model returns.
        batch_size: examples per call.

    Raises:
        ValueError: for no examples or no tensor, empty batches, a model on another device, or one that depends on the
            other examples of a batch and does not take a single one.
    """
    check_probe(model, x, batch_size)
    if isinstance(model, nn.Module) and not _escnn.takes_tensors(model):
        model = _escnn.OnTensors(model)
    least, most = batch_limits(model)
    reader = Reader(model, output, min(batch_size, most or batch_size), least)
    with evaluating(model), keeping_buffers(model), torch.no_grad():
        if not depends_on_mates(reader.copied, x, reader.batch_size):
            yield reader
            return
        alone = replace(reader, batch_size=1)
        _check_alone(alone, x)
        yield alone


def outputs_of(model: Model, x: Whole, output: Output | None = None, batch_size: int = 64) -> Tensor:
    """The outputs of a model, see `reading`."""
    with reading(model, x, output, batch_size) as read:
        return read(x)


def batch_limits(model: Model) -> tuple[int, int | None]:
    """The smallest and the largest batch that a program of torch.export takes; 1 and None for other models."""
    module = module_of(model)
    programs = [] if module is None else [each for each in module.modules() if is_exported(each)]
    return _limits(programs[0]) if programs else (1, None)


def _limits(program: nn.Module) -> tuple[int, int | None]:
    graph: Any = program.graph
    source = next(node for node in graph.nodes if node.op == "placeholder")
    shape = getattr(source.meta.get("val"), "shape", ())
    if not shape:
        return 1, None
    if isinstance(shape[0], int):
        return shape[0], shape[0]
    constraints: Any = program.range_constraints
    allowed = constraints.get(shape[0].node.expr)
    upper = None if allowed is None else allowed.upper
    return 1, int(upper) if upper is not None and upper.is_Integer else None


def _transformed(transform: Callable[[Whole], Whole], part: Whole) -> Whole:
    moved, count = transform(mapped(torch.clone, part)), examples(part)
    if examples(moved) != count:
        raise ValueError(f"symmetry: gives {examples(moved)} examples for {count}, must give one row per example")
    return moved


def _check_alone(reader: Reader, x: Whole) -> None:
    try:
        reader.copied(chosen(x, slice(0, 1)))
    except Exception as error:
        raise ValueError(
            "model: its output for an example depends on the other examples of the batch, and it does not take one "
            f"alone ({' '.join(str(error).split())[:100]}); give batch normalisation its running statistics"
        ) from error
