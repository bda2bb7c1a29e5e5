"""Weights from a file: read without running code, and checked against the network that they are for."""

from __future__ import annotations

import logging
import pickle
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from learnsym._reasons import reason_of
from learnsym._settings import shown

logger = logging.getLogger(__name__)
NESTED = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which checkpoints keep the weights beside other things."""
PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
"""What data parallelism, torch.compile, Lightning and wrappers put before each name."""
ENDINGS = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
SAVE = "save them with torch.save(model.state_dict(), FILE) or safetensors.torch.save_file"


def load_weights(net: nn.Module, path: Path, argument: str = "net.weights") -> None:
    """Give a network the weights of a file; what is guessed of the file is said.

    A last layer that the file lacks stays as it is, for another number of classes.

    Args:
        net: the network.
        path: `.safetensors`, or a `state_dict` of torch, also within a checkpoint that names it as `NESTED` does.
        argument: which argument named the file, with which errors begin.

    Raises:
        ValueError: when the file cannot be read, or holds the weights of another network; it says where they differ.
    """
    own = {bare: name for name, bare in _bare([*net.state_dict()]).items()}
    given = _renamed(_tensors_of(read_state(path, argument), path, argument), own, path)
    state, head = {bare: net.state_dict()[name] for bare, name in own.items()}, _head(net)
    missing = [bare for bare in state if bare not in given and isinstance(state[bare], Tensor)]
    if missing and given and {own[bare] for bare in missing} <= head:
        logger.info("%s: it lacks %s, the last layer, which begins anew", path.name, _few(missing))
        missing = []
    problem = _problem(state, given, missing, {bare for bare, name in own.items() if name in head})
    if problem:
        raise ValueError(f"{argument}: {path} holds weights of another network: {problem}")
    net.load_state_dict({own[bare]: value for bare, value in given.items()}, strict=False)


def read_state(path: Path, argument: str = "net.weights") -> Mapping[str, Any]:
    """What a file of weights holds, by name; nothing of it is executed.

    Raises:
        ValueError: when it cannot be read, or not without running code.
    """
    import safetensors.torch

    check_ending(str(path), argument)
    if not path.is_file():
        raise ValueError(f"{argument}: there is no file {path}; give a file of weights ({', '.join(ENDINGS)})")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        with warnings.catch_warnings(action="ignore"):  # an archive of TorchScript is told of below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of pickle, zipfile, safetensors and torch
        raise ValueError(f"{argument}: {path} {_unreadable(error)}") from error
    if not isinstance(content, Mapping):
        raise ValueError(f"{argument}: {path} holds a {type(content).__name__}, must hold a state_dict; {SAVE}")
    return content


def check_ending(path: str, argument: str = "net.weights") -> None:
    """Raise ValueError for a file that does not end as files of weights do."""
    if Path(path).suffix not in ENDINGS:
        raise ValueError(f"{argument}: got {shown(path)}, must end in one of {', '.join(ENDINGS)}; {SAVE}")


def _unreadable(error: Exception) -> str:
    text = str(error)
    if "TorchScript" in text:
        return f"is a TorchScript program, not weights; {SAVE}"
    if isinstance(error, pickle.UnpicklingError) and "global" in text.lower():
        return f"holds pickled objects, whose code is not run; {SAVE}"
    damaged = "PytorchStreamReader" in text or "MetadataIncompleteBuffer" in text
    return f"cannot be read ({'it is damaged or cut off' if damaged else reason_of(error)}); copy it again, or {SAVE}"


def _tensors_of(content: Mapping[str, Any], path: Path, argument: str) -> dict[str, Tensor]:
    """The state_dict in a checkpoint."""
    for key in NESTED:
        if isinstance(content.get(key), Mapping):
            logger.info("%s: its weights are those under the key %r", path.name, key)
            content = content[key]
            break
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        names = _few([str(name) for name in content]) or "nothing"
        raise ValueError(f"{argument}: {path} holds no weights, but {names}; {SAVE}")
    return tensors


def _renamed(given: dict[str, Tensor], own: Mapping[str, str], path: Path) -> dict[str, Tensor]:
    """The weights with bare names; what is left out of them is said, unless the network has it too."""
    bare = _bare([*given])
    first, own_first = next(iter(bare)), next(iter(own.items()), ("", ""))
    prefix, of_network = first.removesuffix(bare[first]), own_first[1].removesuffix(own_first[0])
    if prefix not in ("", of_network):
        logger.info("%s: its names begin with %r, which is left out", path.name, prefix)
    return {bare[name]: value for name, value in given.items()}


def _bare(names: Sequence[str]) -> dict[str, str]:
    """Each name without what all of them begin with."""
    bare = list(names)
    while prefix := next((p for p in PREFIXES if bare and all(name.startswith(p) for name in bare)), ""):
        bare = [name.removeprefix(prefix) for name in bare]
    return dict(zip(names, bare, strict=True))


def _problem(own: Mapping[str, Any], given: Mapping[str, Tensor], missing: Sequence[str], head: set[str]) -> str:
    """How weights differ from those of a network; empty when they do not."""
    unknown = [name for name in given if name not in own]
    if missing or unknown:
        lacks = [f"it lacks {_few(missing)} ({len(missing)} of {len(own)})"] if missing else []
        more = [f"it has {_few(unknown)} ({len(unknown)} of {len(given)}) that the network has not"] if unknown else []
        return f"{' and '.join(lacks + more)}; give the weights of this network, or the network of these weights"
    shapes = [name for name in given if given[name].shape != own[name].shape]
    if not shapes:
        return ""
    first = shapes[0]
    there, here = tuple(given[first].shape), tuple(own[first].shape)
    if set(shapes) <= head and there[1:] == here[1:]:
        return (
            f"its head {first} has {there[0]} classes, that of the network {here[0]}; take {', '.join(shapes)} out of "
            "the file to begin with a new head, or give data with as many classes"
        )
    more = f", and {len(shapes) - 1} more differ" if shapes[1:] else ""
    return f"{first} has shape {there}, must have {here}{more}; give the weights of this network"


def _head(net: nn.Module) -> set[str]:
    """Names of the parameters of the last module that has any of its own."""
    names = [name for name, _ in net.named_parameters()]
    last = names[-1].rpartition(".")[0] if names else ""
    return {name for name in names if name.rpartition(".")[0] == last}


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
