"""A model from a Python file of somebody else, which is executed."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from learnsym._python_file import called, executed


def model_of_file(file: str, name: str) -> nn.Module:
    """The model that `name` stands for in a file: a function or class that takes no arguments, or a module itself.

    The file is executed. It may import files beside it, with `from .other import` or without the dot.

    Args:
        file: path of a Python file.
        name: what it calls the model.

    Raises:
        ValueError: when the file cannot be executed, or the name stands for no model.
    """
    if not Path(file).is_file():
        raise ValueError(f"model: there is no file {file}; give FILE.py:factory")
    with executed(Path(file), "model") as module:
        return _model(getattr(module, name, None), name, Path(file).name)


def _model(make: object, name: str, file: str) -> nn.Module:
    if isinstance(make, nn.Module):
        return make
    if not callable(make):
        raise ValueError(f"model: {file} has no function {name!r}; define def {name}() -> nn.Module")
    model = called(make, name, file, "model")
    if not isinstance(model, nn.Module):
        raise ValueError(
            f"model: {name}() of {file} returns a {type(model).__name__}, must be a torch.nn.Module; return one"
        )
    return model
