"""Checkpoints, whole or absent: `state.pt` holds all that resuming needs, `weights.safetensors` is made from it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from learnsym.files import write_atomically

VERSION = 1


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write `state.pt`, then `weights.safetensors` from the same state.

    Raises:
        OSError: when the disk is full or the folder cannot be written; the previous checkpoint is kept.
    """
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


def save_weights(folder: Path, state: dict[str, Any]) -> None:
    """Write `weights.safetensors`, which names its step in the header."""
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state["weights"].items()}
    write_atomically(folder / "weights.safetensors", safetensors.torch.save(tensors, {"step": str(state["step"])}))


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


def load_weights(folder: Path) -> dict[str, Tensor]:
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
        return safetensors.torch.load_file(path)
    except Exception as error:
        raise ValueError(f"run: {path} cannot be read; train again") from error


def weights_step(folder: Path) -> int | None:
    """The step that `weights.safetensors` was written at; None when it is missing or unreadable."""
    try:
        with safetensors.safe_open(folder / "weights.safetensors", "pt") as file:
            return int((file.metadata() or {})["step"])
    except Exception:
        return None
