"""Configurations that come with the package: `configs/` of the repository, which the wheel packs."""

from __future__ import annotations

import difflib
import logging
import os
from importlib import resources
from pathlib import Path

logger = logging.getLogger(__name__)


def folder() -> Path:
    """Where they lie: inside of the installed package, or beside it in a checkout."""
    package = Path(str(resources.files("learnsym")))
    return next(place for place in (package / "configs", package.parent / "configs") if place.is_dir())


def packed() -> dict[str, Path]:
    """Their files by name, such as `demo` or `compare/digits`.

    Example:
        >>> from learnsym._configs import packed
        >>> packed()["compare/digits"].name
        'digits.yaml'
    """
    files = sorted(folder().rglob("*.yaml"))
    return {path.relative_to(folder()).with_suffix("").as_posix(): path for path in files}


def description(path: Path) -> str:
    """The comment in the first line of a file."""
    return path.read_text(encoding="utf8").partition("\n")[0].removeprefix("#").strip()


def command_of(path: Path) -> str:
    """The command that takes a file; nothing for a search space, which `tune` finds by itself."""
    if path.stem.endswith(".space"):
        return ""
    if path.with_suffix(".space.yaml").exists():
        return "tune"
    return "compare" if "\narms:" in path.read_text(encoding="utf8") else "train"


def named(name: str) -> Path:
    """The file of a packed configuration.

    Raises:
        ValueError: for an unknown name, with those that look like it.
    """
    if name not in packed():
        raise ValueError(f"config: {name!r} does not come with learnsym; name {_one_of(name)}")
    return packed()[name]


def config_path(text: str | os.PathLike[str]) -> Path:
    """A file, or where there is none, the packed configuration of this name; the latter is said.

    Raises:
        ValueError: when there is neither.
    """
    path, name = Path(text), os.fspath(text)
    if name in packed() and not os.path.isfile(name):
        logger.info("config: %s comes with learnsym (learnsym config show %s)", name, name)
        return packed()[name]
    if _is_missing(path):
        raise ValueError(f"config: {name} does not exist; name a YAML file or {_one_of(name)}")
    return path


def _is_missing(path: Path) -> bool:
    """Whether there is no file; what else is wrong with it is said when it is read."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _one_of(name: str) -> str:
    """Where packed configurations stand, and which of them look like a name."""
    names = [each for each, path in packed().items() if command_of(path)]
    wanted = name.removesuffix(".yaml").removeprefix("configs/")
    close = [wanted] if wanted in names else difflib.get_close_matches(wanted, names, n=3)
    close = close or [each for each in names if Path(each).name == Path(wanted).name]
    return f"one of `learnsym config list`{', such as ' if close else ''}{', '.join(close)}"
