"""YAML files and overrides to a `ComparisonConfig`, and back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser, Namespace

from learnsym.comparison.config import ComparisonConfig, merged
from learnsym.training.config_file import YAML, instantiated, read_mapping
from learnsym.training.parser_sentences import check_once

KEYS = tuple(ComparisonConfig.__dataclass_fields__)


def read_comparison(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> ComparisonConfig:
    """Read a YAML file, then apply overrides such as `["--seeds", "[0, 1]"]`.

    Raises:
        ValueError: when the file is missing or not YAML, or a key or value is unknown.
    """
    check_once(overrides)
    content = _content(Path(path))
    parser = ArgumentParser(prog="learnsym compare", exit_on_error=False, parser_mode=YAML)
    parser.add_class_arguments(ComparisonConfig, as_group=False)

    def parsed() -> Namespace:
        return parser.parse_args(list(overrides), namespace=parser.parse_object(content))

    values = instantiated(parser, parsed)
    return ComparisonConfig(**{name: values[name] for name in KEYS})


def dump_comparison(config: ComparisonConfig) -> str:
    """The whole comparison as YAML."""
    return yaml.safe_dump(asdict(config), sort_keys=False, allow_unicode=True)


def _content(path: Path) -> dict[str, Any]:
    """The file, with what the file behind `base.from` says, which is named relative to the first."""
    content = read_mapping(path)
    for key in content:
        if key not in KEYS:
            raise ValueError(f"{key}: unknown key of a comparison; known keys are {', '.join(KEYS)}")
    arms, base = content.get("arms"), content.get("base")
    if isinstance(arms, dict):  # an arm that is the base itself is written as `learned:`
        content["arms"] = {str(name): {} if differences is None else differences for name, differences in arms.items()}
    if isinstance(base, dict) and "from" in base:
        rest = {key: value for key, value in base.items() if key != "from"}
        content["base"] = merged(read_mapping(path.parent / str(base["from"])), rest)
    return content
