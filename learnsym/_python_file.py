"""Python files of somebody else, which are executed: models and data come as FILE.py:function."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from learnsym._reasons import reason_of

_beside: set[str] = set()
"""Names of imported modules that lie beside the last file."""


class Reference(NamedTuple):
    """What FILE.py:name refers to."""

    path: Path
    name: str


def reference_of(text: str) -> Reference | None:
    """The file and the name of FILE.py:name; None for any other text.

    Example:
        >>> from learnsym._python_file import reference_of
        >>> reference_of("mine.py:make").name, reference_of("digits")
        ('make', None)
    """
    file, _, name = text.rpartition(":")
    return Reference(Path(file), name) if file.endswith(".py") and name.isidentifier() else None


def check_file(path: Path, argument: str) -> None:
    """Refuse a file that is not there.

    Raises:
        ValueError: with the path.
    """
    if not path.is_file():
        raise ValueError(f"{argument}: there is no file {path.resolve()}; give FILE.py:function")


@contextmanager
def executed(path: Path, argument: str) -> Iterator[ModuleType]:
    """The module of a Python file, which is executed.

    Inside of the block, and while the file is executed, files beside it can be imported: with `from .other import`, or
    without the dot. Objects of the module outlive the block and can be pickled.

    Args:
        path: of the file.
        argument: that it was given as, with which errors begin.

    Raises:
        ValueError: when there is no such file, or it cannot be executed.
    """
    path = path.resolve()
    check_file(path, argument)
    with _importing_from({root_of(path), path.parent}):
        yield _executed(path, argument)


def sources_of(path: Path) -> list[Path]:
    """The files that were read when a file was last executed: itself, and those of its folder or package."""
    path = path.resolve()
    own = [module for name, module in sys.modules.items() if _top(name) == _package(root_of(path)) or name in _beside]
    files = {Path(file).resolve() for module in own if (file := getattr(module, "__file__", None))}
    return sorted({path, *files})


def called(make: Callable[[], object], name: str, file: str, argument: str) -> object:
    """What a function of such a file returns.

    Args:
        make: the function, or a class.
        name: of the function, for errors.
        file: in which it stands.
        argument: that it was given as, with which errors begin.

    Raises:
        ValueError: when it takes arguments, or raises.
    """
    needed = required_inputs(make)
    if needed:
        raise ValueError(
            f"{argument}: {name} of {file} takes {', '.join(needed)}, must take no arguments; give defaults"
        )
    try:
        return make()
    except (Exception, SystemExit) as error:
        raise ValueError(f"{argument}: {name}() of {file} raises {reason_of(error)}; repair it") from error


def required_inputs(function: Callable[..., object]) -> list[str]:
    """Names of the arguments that a call must give; none where that cannot be known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind not in free]


def _executed(path: Path, argument: str) -> ModuleType:
    """The file as a module of a package of its own, whose name no other folder has."""
    root = root_of(path)
    for name in [name for name in sys.modules if _top(name) == _package(root)]:
        del sys.modules[name]  # the file may have changed since
    sys.modules[_package(root)] = parent = ModuleType(_package(root))
    parent.__path__ = [str(root)]
    package = ".".join((_package(root), *path.parent.relative_to(root).parts))
    stem = re.sub(r"\W", "_", path.stem)
    spec = importlib.util.spec_from_file_location(f"{package}.{stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        importlib.import_module(package)
        sys.modules[spec.name] = module  # dataclasses and pickle look their module up
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        sys.modules.pop(spec.name, None)
        raise ValueError(f"{argument}: {path.name} cannot be executed ({reason_of(error)}); repair it") from error
    return module


def root_of(path: Path) -> Path:
    """The folder that holds a file or, where the file lies in a package, the outermost package."""
    return next(folder for folder in path.parents if not (folder / "__init__.py").is_file())


def _package(root: Path) -> str:
    return f"learnsym_files_{hashlib.sha256(str(root).encode()).hexdigest()[:12]}"


def _top(name: str) -> str:
    return name.partition(".")[0]


@contextmanager
def _importing_from(folders: set[Path]) -> Iterator[None]:
    """Files of folders can be imported; those of the folders before are forgotten, which may bear the same names."""
    while _beside:
        sys.modules.pop(_beside.pop(), None)
    before = set(sys.modules)
    sys.path[:0] = map(str, folders)
    try:
        yield
    finally:
        for folder in folders:
            sys.path.remove(str(folder))
        new = set(sys.modules) - before
        own = {name for name in new if "." not in name and _lies_in(sys.modules[name], folders)}
        _beside.update(name for name in new if _top(name) in own)


def _lies_in(module: ModuleType, folders: set[Path]) -> bool:
    """Whether a module is a file of one of the folders, or a package in it."""
    places = list(getattr(module, "__path__", [])) or [getattr(module, "__file__", None) or ""]
    return Path(places[0]).parent in folders
