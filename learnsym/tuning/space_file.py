"""YAML files to a `SearchSpace`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from learnsym._settings import check, kinds_of
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
    content = read_mapping(path, "space")
    space = SearchSpace(
        parameters={key: read_parameter(key, value, config) for key, value in content.items() if key not in SETTINGS},
        **_settings(content, config),
    )
    space.check(config)
    return space


def _settings(content: dict[str, Any], config: RunConfig) -> dict[str, Any]:
    settings = {"seeds": list(config.seeds), **{name: content[name] for name in SETTINGS if name in content}}
    for name in {"seeds", "objectives"} & settings.keys():
        given = settings[name]
        settings[name] = tuple(given) if isinstance(given, list) else (given,)
    for name, given in settings.items():
        check(name, given, kinds_of(SearchSpace)[name])
    return settings
