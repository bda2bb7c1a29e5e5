"""The one module that imports timm: image models by name, also on machines without torchvision.

timm needs torchvision for its data part only, but imports that with its models; torchvision has no build for every
machine. Where it is missing, placeholders stand for it while timm is imported, and are taken away again.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from torch import nn


def timm_model(name: str, *, pretrained: bool = False, **options: object) -> nn.Module:
    """A model of timm by its name.

    Raises:
        ImportError: when timm is not installed.
        ValueError: for an unknown name.
    """
    return _timm_with(name).create_model(name, pretrained=pretrained, **options)


def published(name: str) -> dict[str, Any]:
    """What timm says of the published weights of a model: `input_size`, `mean`, `std`, `fixed_input_size`, ...

    Raises:
        ImportError: when timm is not installed.
        ValueError: for an unknown name.
    """
    settings = _timm_with(name).get_pretrained_cfg(name)
    return {} if settings is None else settings.to_dict()


def _timm_with(name: str) -> Any:  # noqa: ANN401  a module
    """timm, which has a model of this name."""
    with _placeholders("torchvision"):
        try:
            timm = importlib.import_module("timm")
        except ModuleNotFoundError as error:
            if error.name != "timm":
                raise
            remedy = "pip install timm (with --no-deps, and huggingface_hub, where torchvision has no build)"
            raise ImportError(f"timm is not installed; {remedy}") from error
    if not timm.is_model(name.split(".")[0]):
        close = ", ".join(timm.list_models(f"{name[:6]}*")[:5])
        raise ValueError(f"model: timm has no model {name!r}" + (f"; close to it: {close}" if close else ""))
    return timm


@contextmanager
def _placeholders(package: str) -> Iterator[None]:
    """Empty modules in place of a package that is not installed."""
    if importlib.util.find_spec(package) is not None:
        yield
        return
    finder = _PlaceholderFinder(package)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.split(".")[0] == package]:
            del sys.modules[name]


class _PlaceholderFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds any module of one package, with any attribute."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A specification for the package and what lies in it."""
        if fullname.split(".")[0] != self.package:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """A module each of whose names is a class of its own."""
        return _Placeholder(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


def _stand_in(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    return _AnyAttribute(name, (nn.Module,), {})


class _AnyAttribute(type):
    def __getattr__(cls, name: str) -> type:
        return _stand_in(name)


class _Placeholder(ModuleType):
    def __getattr__(self, name: str) -> type:
        return _stand_in(name)
