"""Checkpoints, whole or absent: `state.pt` holds all that resuming needs, `weights.safetensors` is made from it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from learnsym.files import Kind, checked, understood, write_atomically

VERSION = 1
PAIRS = "pairs"
"""In the header of `weights.safetensors`: names of complex numbers that are written as pairs."""
FIELDS: dict[str, Kind] = {
    "step": int,
    "weights": dict,
    "optimiser": dict,
    "objective": dict,
    "finished": bool,
    "metrics_bytes": int,
}
"""What `state.pt` holds beside its version."""


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
            f"the checkpoint of step {state['step']} could not be written ({os.strerror(error.errno or 0)}); "
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
    import safetensors
    import safetensors.torch

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
    with understood(path, "run", "delete it to train from the start"):
        state = checked(_read(path), {"version": int})
        if state["version"] == VERSION:
            return checked(state, FIELDS)
    raise ValueError(f"run: {path} has version {state['version']}, learnsym reads {VERSION}; train again elsewhere")


def load_into(module: object, state: dict[str, Any], what: str, remedy: str) -> None:
    """Give a module its state.

    Args:
        module: that the state is for.
        state: by name, as in `state.pt`.
        what: the state is, with which the error begins.
        remedy: with which the error ends.

    Raises:
        ValueError: when the state is that of another module; it says where they differ.
    """
    own = module.state_dict() if isinstance(module, nn.Module) else {}
    reason = _difference(own, state)
    if not reason and isinstance(module, nn.Module):
        try:
            module.load_state_dict(state)
        except (RuntimeError, TypeError, ValueError, AttributeError) as error:
            reason = " ".join(str(error).split())
    if reason:
        raise ValueError(f"run: {what} of another module ({reason}); {remedy}")


def restore(
    folder: Path, state: dict[str, Any], model: nn.Module, optimiser: torch.optim.Optimizer, objective: object
) -> None:
    """Continue from a checkpoint: weights, optimiser and what the objective has learned.

    Raises:
        ValueError: when it is that of another model, optimiser or objective.
    """
    remedy = "give what it was made with, or another folder"
    load_into(model, state["weights"], f"the checkpoint in {folder} is", remedy)
    load_into(objective, state["objective"], f"the objective in {folder} is", remedy)
    try:
        optimiser.load_state_dict(state["optimiser"])
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"run: the checkpoint in {folder} is of another optimiser ({error}); {remedy}") from error


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
    return load_tensors(path)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file of a run.

    Raises:
        ValueError: when it cannot be read.
    """
    import safetensors
    import safetensors.torch

    try:
        with safetensors.safe_open(path, "pt") as file:
            pairs = json.loads((file.metadata() or {}).get(PAIRS, "[]"))
        return {name: _tensor(value, name in pairs) for name, value in safetensors.torch.load_file(path).items()}
    except Exception as error:  # of several libraries
        raise ValueError(f"run: {path} is no whole safetensors file; restore it, or train again") from error


def weights_step(folder: Path) -> int | None:
    """The step that `weights.safetensors` was written at; None when it is missing or unreadable."""
    import safetensors
    import safetensors.torch

    try:
        with safetensors.safe_open(folder / "weights.safetensors", "pt") as file:
            return int((file.metadata() or {})["step"])
    except Exception:
        return None


def _written(value: Tensor, pair: bool) -> Tensor:
    """A tensor of memory of its own, as the format needs it."""
    value = value.detach().cpu().resolve_conj().resolve_neg()
    return (torch.view_as_real(value) if pair else value).contiguous().clone()


def _tensor(value: Tensor, pair: bool) -> Tensor:
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


def _read(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of pickle, zipfile and torch
        raise ValueError("it is no whole checkpoint") from error


def _difference(own: dict[str, Any], given: dict[str, Any]) -> str:
    """Which names, or the shape of which tensor, two states do not have in common; empty when they have all."""
    unknown, missing = [name for name in given if name not in own], [name for name in own if name not in given]
    named = [f"{verb} {_few(names)}" for verb, names in (("it has", unknown), ("it lacks", missing)) if names]
    if named:
        return ", ".join(named)
    shapes = ((name, _shape(given[name]), _shape(value)) for name, value in own.items())
    return next((f"{name} is {there}, not {here}" for name, there, here in shapes if there != here), "")


def _few(names: list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _shape(value: object) -> tuple[int, ...] | str:
    return tuple(value.shape) if isinstance(value, Tensor) else "no tensor"
