"""YAML files to a `SearchSpace`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from learnsym.training import RunConfig
from learnsym.training.config_file import read_mapping
from learnsym.tuning.ranges import read_parameter
from learnsym.tuning.space import SearchSpace

SETTINGS = ("objectives", "sampler", "seeds", "prune")


def space_path(config: str | os.PathLike[str]) -> Path:
    """Where the search space of a configuration lies by default: `CONFIG.space.yaml` beside `CONFIG.yaml`.

    Example:
        >>> from learnsym.tuning.space_file import space_path
        >>> space_path("configs/demo.yaml")
        PosixPath('configs/demo.space.yaml')
    """
    return Path(config).with_suffix(".space.yaml")


def read_space(path: str | os.PathLike[str], config: RunConfig) -> SearchSpace:
    """Read a search space and check that a configuration takes what it holds.

    Args:
        path: of a YAML file: dotted keys of the configuration, each with a range or choices, beside `objectives`,
            `sampler`, `seeds` and `prune`.
        config: what is tuned; its seeds are those of the trials unless the file names some.

    Raises:
        ValueError: naming the key.
    """
    if not Path(path).is_file():
        raise ValueError(f"space: {os.fspath(path)} does not exist; write the search space there, or give --space")
    content = {str(key): value for key, value in read_mapping(path).items()}
    space = SearchSpace(
        parameters={key: read_parameter(key, value, config) for key, value in content.items() if key not in SETTINGS},
        **_settings(content, config),
    )
    space.check(config)
    return space


def _settings(content: dict[str, Any], config: RunConfig) -> dict[str, Any]:
    settings = {name: content[name] for name in SETTINGS if name in content}
    settings["seeds"] = _listed("seeds", settings.get("seeds", list(config.seeds)), int)
    if "objectives" in settings:
        settings["objectives"] = _listed("objectives", settings["objectives"], str)
    prune = settings.get("prune", 0.1)
    if prune is not None and (isinstance(prune, bool) or not isinstance(prune, int | float)):
        raise ValueError(f"prune: got {prune!r}, must be a p-value such as 0.1, or null")
    settings["prune"] = None if prune is None else float(prune)
    return settings


def _listed(name: str, given: object, kind: type) -> tuple[Any, ...]:
    values = given if isinstance(given, list) else [given]
    if not all(isinstance(value, kind) and not isinstance(value, bool) for value in values):
        raise ValueError(f"{name}: got {given!r}, must be a list such as {'[0, 1, 2]' if kind is int else '[loss]'}")
    return tuple(values)
