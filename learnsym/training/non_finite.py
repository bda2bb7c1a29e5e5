"""When a loss, a weight or a buffer stops being finite: an error that names the step, whose batch is kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from learnsym.files import write_atomically, write_json
from learnsym.parts import tensors_in

logger = logging.getLogger(__name__)

REMEDY = "begin anew with a lower optimiser.lr or with optimiser.clip"


class NonFiniteLoss(FloatingPointError):
    """The loss of a step became NaN or infinite, or the weights did under a finite loss; `step` says when."""

    def __init__(self, message: str, step: int) -> None:
        super().__init__(message, step)  # both, so that it can be pickled
        self.message = message
        self.step = step

    def __str__(self) -> str:
        return self.message


class State:
    """The parameters and buffers of a model that were finite at the start, and have to stay so.

    A mask of -inf or a minimum that begins at infinity is no fault, nor is a buffer that is made later or anew.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.shapes = {name: value.shape for name, value in _tensors_of(model) if value.isfinite().all()}

    def faults(self) -> list[str]:
        """Names of those that hold NaN or infinity by now."""
        own = [(name, value) for name, value in _tensors_of(self.model) if self.shapes.get(name) == value.shape]
        return sorted(name for name, value in own if not value.isfinite().all())


@torch.no_grad()
def size(parameters: Sequence[Tensor]) -> Tensor:
    """The Euclidean norm of all parameters together, which is finite only where all of them are."""
    return nn.utils.get_total_norm(parameters).abs().float()


def keep_batch(folder: Path, content: dict[str, Any], batch: object, rank: int, world: int) -> str:
    """Write `nan_batch.json` and the tensors of a batch into a run folder; returns how the error names them.

    Args:
        folder: of the run.
        content: of the JSON file.
        batch: of the step, of this process alone.
        rank: of this process; the first one writes the JSON file.
        world: number of processes, each of which writes a file of tensors.
    """
    import safetensors.torch

    file = folder / "nan_batch.json"
    inputs = folder / ("nan_batch.safetensors" if world == 1 else f"nan_batch-{rank}.safetensors")
    tensors = {path: value.detach().cpu().contiguous().clone() for path, value in tensors_in(batch, "batch")}
    try:
        if rank == 0:
            write_json(file, content)
        write_atomically(inputs, safetensors.torch.save(tensors))
    except (OSError, KeyError) as error:  # a full disk, or a dtype that the format has not, must not hide the fault
        logger.warning("the batch could not be kept (%s)", error)
        return f", its batch is named in {file}" if file.exists() else ""
    return f", its batch is named in {file} and kept in {inputs}"


def _tensors_of(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from ((name, value) for name, value in model.state_dict().items() if isinstance(value, Tensor))
