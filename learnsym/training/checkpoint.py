"""Checkpoints, whole or absent: `state.pt` holds all that resuming needs, `weights.safetensors` is made from it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from learnsym.files import write_atomically

VERSION = 1
PAIRS = "pairs"
"""In the header of `weights.safetensors`: names of complex numbers that are written as pairs."""


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write `state.pt`, then `weights.safetensors` from the same state.

    Raises:
        OSError: when the disk is full or the folder cannot be written; the previous checkpoint is kept.
        ValueError: when the weights hold what cannot be read again; see `check`.
    """
    check(state["weights"])
    buffer = io.BytesIO()
    torch.save({"version": VERSION, **state}, buffer)
    try:
        write_atomically(folder / "state.pt", buffer.getvalue())
        save_weights(folder, state)
    except OSError as error:
        raise OSError(
            error.errno,
            f"the checkpoint of step {state['step']} could not be written ({error.strerror}); "
            "the last good one, if any, is kept: free space, then give the same command again",
            str(folder),
        ) from error


def check(weights: Mapping[str, Any]) -> None:
    """Refuse a `state_dict` that cannot be read again, or not without running code that lies in the file.

    Raises:
        ValueError: for a key, such as `_extra_state`, whose value is no tensor and holds objects of a class of its own,
            or is a tensor made by `expand`, into which nothing can be loaded.
    """
    for key, value in weights.items():
        if isinstance(value, Tensor) and _is_expanded(value):
            raise ValueError(
                f"model: elements of {key} of its state_dict share memory, so that a checkpoint cannot be loaded; "
                "clone() it after expand()"
            )
        if not isinstance(value, Tensor) and not _is_plain(value):
            raise ValueError(
                f"model: {key} of its state_dict is {type(value).__name__} that a checkpoint cannot hold safely; "
                "let get_extra_state give tensors, numbers, strings, lists or dictionaries of these"
            )


def save_weights(folder: Path, state: dict[str, Any]) -> None:
    """Write `weights.safetensors`, which names its step in the header; what is no tensor is in `state.pt` alone.

    The format has no complex numbers of double precision; they are written as pairs and named in the header, too.
    """
    tensors = {name: value for name, value in state["weights"].items() if isinstance(value, Tensor)}
    pairs = [name for name, value in tensors.items() if value.dtype == torch.complex128]
    header = {"step": str(state["step"])} | ({PAIRS: json.dumps(pairs)} if pairs else {})
    written = {name: _written(value, name in pairs) for name, value in tensors.items()}
    write_atomically(folder / "weights.safetensors", safetensors.torch.save(written, header))


def remove(folder: Path) -> None:
    """Leave a folder without a checkpoint."""
    for name in ("weights.safetensors", "state.pt"):  # in this order, as one without the other is made again
        (folder / name).unlink(missing_ok=True)


def load(folder: Path) -> dict[str, Any] | None:
    """The state of the last checkpoint; None when there is none.

    Raises:
        ValueError: when `state.pt` cannot be read.
    """
    path = folder / "state.pt"
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        version = state["version"]
    except Exception as error:
        raise ValueError(f"run: {path} cannot be read; delete it to train from the start") from error
    if version != VERSION:
        raise ValueError(f"run: {path} has version {version}, learnsym reads {VERSION}; train again elsewhere")
    return state


def load_weights(folder: Path) -> dict[str, Any]:
    """The weights of the last checkpoint: from `state.pt`, or from `weights.safetensors` alone in a folder without it.

    Raises:
        ValueError: when there are none, or they cannot be read.
    """
    state = load(folder)
    if state is not None:
        return state["weights"]
    path = folder / "weights.safetensors"
    if not path.exists():
        raise ValueError(f"run: {folder} holds no weights; train it first")
    try:
        with safetensors.safe_open(path, "pt") as file:
            pairs = json.loads((file.metadata() or {}).get(PAIRS, "[]"))
        return {name: _read(value, name in pairs) for name, value in safetensors.torch.load_file(path).items()}
    except Exception as error:
        raise ValueError(f"run: {path} cannot be read; train again") from error


def weights_step(folder: Path) -> int | None:
    """The step that `weights.safetensors` was written at; None when it is missing or unreadable."""
    try:
        with safetensors.safe_open(folder / "weights.safetensors", "pt") as file:
            return int((file.metadata() or {})["step"])
    except Exception:
        return None


def _written(value: Tensor, pair: bool) -> Tensor:
    """A tensor of memory of its own, as the format needs it."""
    value = value.detach().cpu().resolve_conj().resolve_neg()
    return (torch.view_as_real(value) if pair else value).contiguous().clone()


def _read(value: Tensor, pair: bool) -> Tensor:
    return torch.view_as_complex(value) if pair else value


def _is_expanded(value: Tensor) -> bool:
    return value.layout == torch.strided and any(
        size > 1 and not stride for size, stride in zip(value.shape, value.stride(), strict=True)
    )


def _is_plain(value: object) -> bool:
    buffer = io.BytesIO()
    try:
        torch.save(value, buffer)
        buffer.seek(0)
        torch.load(buffer, weights_only=True)
    except Exception:
        return False
    return True
