"""A model from a Python file of somebody else, which is executed."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from torch import nn

from learnsym.report.card.trial import reason_of, required_inputs

_beside: set[str] = set()
"""Names of imported modules that lie beside the model file."""


def model_of_file(file: str, name: str) -> nn.Module:
    """The model that `name` stands for in a file: a function or class that takes no arguments, or a module itself.

    The file is executed. It may import files beside it, with `from .other import` or without the dot.

    Args:
        file: path of a Python file.
        name: what it calls the model.

    Raises:
        ValueError: when the file cannot be executed, or the name stands for no model.
    """
    path = Path(file).resolve()
    if not path.is_file():
        raise ValueError(f"model: there is no file {file}; give FILE.py:factory")
    with _importing_from(path.parent):
        return _model(path, name)


def _model(path: Path, name: str) -> nn.Module:
    make = getattr(_executed(path), name, None)
    if isinstance(make, nn.Module):
        return make
    if not callable(make):
        raise ValueError(f"model: {path.name} has no function {name!r}; define def {name}() -> nn.Module")
    needed = required_inputs(make)
    if needed:
        raise ValueError(
            f"model: {name} of {path.name} takes {', '.join(needed)}, must take no arguments; give defaults"
        )
    try:
        model = make()
    except (Exception, SystemExit) as error:
        raise ValueError(f"model: {name}() of {path.name} raises {reason_of(error)}; repair it") from error
    if not isinstance(model, nn.Module):
        raise ValueError(
            f"model: {name}() of {path.name} returns a {type(model).__name__}, must be a torch.nn.Module; return one"
        )
    return model


def _executed(path: Path) -> ModuleType:
    """The file as a module of a package of its own, whose name no other folder has."""
    package = f"learnsym_models_{hashlib.sha256(str(path.parent).encode()).hexdigest()[:12]}"
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]  # the file may have changed since
    sys.modules[package] = parent = ModuleType(package)
    parent.__path__ = [str(path.parent)]
    stem = re.sub(r"\W", "_", path.stem)
    spec = importlib.util.spec_from_file_location(f"{package}.{stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickle look their module up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        raise ValueError(f"model: {path.name} cannot be executed ({reason_of(error)}); repair it") from error
    return module


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Files of a folder can be imported; those of the folders before are forgotten, which may bear the same names."""
    while _beside:
        sys.modules.pop(_beside.pop(), None)
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        new = set(sys.modules) - before
        own = {name for name in new if "." not in name and _lies_in(sys.modules[name], folder)}
        _beside.update(name for name in new if name.partition(".")[0] in own)


def _lies_in(module: ModuleType, folder: Path) -> bool:
    """Whether a module is a file of the folder, or a package in it."""
    places = list(getattr(module, "__path__", [])) or [getattr(module, "__file__", None) or ""]
    return Path(places[0]).parent == folder
