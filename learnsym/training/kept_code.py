"""The code of modules of your own, which a run keeps beside their weights: copies and hashes of the files."""

from __future__ import annotations

import hashlib
import inspect
import logging
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from torch import nn

from learnsym.files import write_atomically

logger = logging.getLogger(__name__)
COPIES = "code"
KNOWN = ("torch", "learnsym", "builtins", "collections", "functools")
"""Packages whose versions `env.json` has, or that come with Python."""


def code_of(things: Iterable[object]) -> dict[str, dict[str, str]]:
    """What says which code was run: by the name of each class or function, the file with its hash, or the package.

    Args:
        things: modules, whose classes and those of all submodules count, and functions or classes.
    """
    found = {}
    for owner in dict.fromkeys(owner for thing in things for owner in _owners(thing)):
        name = f"{owner.__module__}.{owner.__qualname__}"
        found[name] = _package(owner) or _file(owner) or {"file": "", "sha256": ""}
    return found


def keep_code(folder: Path, code: dict[str, dict[str, str]]) -> None:
    """Copy the files into the run, and say which code could not be kept."""
    for name, entry in code.items():
        if not entry.get("file") and "package" not in entry:
            logger.warning("run: the code of %s cannot be kept, since it stands in no file; write it into one", name)
    for path in sorted({Path(entry["file"]) for entry in code.values() if entry.get("file")}):
        target = folder / COPIES / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, path.read_bytes())


def changed(before: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """Names of the classes and functions whose code is not what it was."""
    return [name for name, entry in now.items() if _content(before.get(name, {})) != _content(entry)]


def _content(entry: dict[str, str]) -> tuple[str | None, ...]:
    return entry.get("sha256"), entry.get("package"), entry.get("version")


def _owners(thing: object) -> Iterator[Any]:
    owners = [type(module) for module in thing.modules()] if isinstance(thing, nn.Module) else [thing]
    for owner in owners:
        has_code = inspect.isclass(owner) or inspect.isfunction(owner)
        if has_code and owner.__module__.partition(".")[0] not in KNOWN:
            yield owner


def _package(owner: Any) -> dict[str, str] | None:  # noqa: ANN401  a class or function
    """The package of an installed class, with its version; None for code of your own."""
    places = (sysconfig.get_paths()[name] for name in ("purelib", "platlib", "stdlib"))
    path = _path(owner)
    if path is None or not any(path.is_relative_to(place) for place in places):
        return None
    top = owner.__module__.partition(".")[0]
    try:
        return {"package": top, "version": version(packages_distributions().get(top, [top])[0])}
    except PackageNotFoundError:
        return {"package": top, "version": ""}


def _file(owner: Any) -> dict[str, str] | None:  # noqa: ANN401
    path = _path(owner)
    if path is None:
        return None
    return {"file": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _path(owner: Any) -> Path | None:  # noqa: ANN401
    try:
        path = Path(inspect.getsourcefile(owner) or "").resolve()
    except (TypeError, OSError):  # of an interactive session
        return None
    return path if path.is_file() else None
