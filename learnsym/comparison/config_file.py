"""YAML files and overrides to a `ComparisonConfig`, and back."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser, Namespace

from learnsym._keys import given
from learnsym._sentences import check_once
from learnsym._settings import Seed, kinds_of
from learnsym._values import YAML
from learnsym._yaml_file import BadYaml, load_yaml
from learnsym.comparison.config import ComparisonConfig, merged
from learnsym.training.config_file import SECTIONS, instantiated, read_mapping

logger = logging.getLogger(__name__)
KEYS = tuple(ComparisonConfig.__dataclass_fields__)


def read_comparison(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> ComparisonConfig:
    """Read a YAML file, then apply overrides such as `["--seeds", "[0, 1]"]`.

    The file is of a comparison, or of a run, which is then the base. The twins and seeds of the base are those of the
    comparison where it names none of its own.

    Raises:
        ValueError: when the file is missing or not YAML, or a key or value is unknown.
    """
    check_once(overrides)
    inner, rest = _inner(overrides)
    content = merged(_content(Path(path)), inner)
    if given("base.train.steps", overrides) is not None and "twin_steps" in content.get("base", {}):
        logger.info("--base.train.steps: twin_steps of %s (%s) are left out", path, content["base"].pop("twin_steps"))
    parser = ArgumentParser(prog="learnsym compare", exit_on_error=False, parser_mode=YAML)
    parser.add_class_arguments(ComparisonConfig, as_group=False)

    def parsed() -> Namespace:
        return parser.parse_args(rest, namespace=parser.parse_object(content))

    values = instantiated(parser, parsed)
    named = "seeds" in content or any(word.partition("=")[0] == "--seeds" for word in overrides)
    known, notes = _of_base({name: values[name] for name in KEYS}, named)
    config = ComparisonConfig(**known)
    if notes:
        _ = config.arm_configs  # what is wrong is said alone
        logger.info("%s: %s", path, "; ".join(notes))
    return config


def dump_comparison(config: ComparisonConfig) -> str:
    """The whole comparison as YAML."""
    return yaml.safe_dump(asdict(config), sort_keys=False, allow_unicode=True)


def comparison_kinds() -> dict[str, Any]:
    """The annotation of the value of each key, None of those that hold others; `learnsym._kinds` keeps them."""
    kinds = {key: None if key in ("base", "arms") else kind for key, kind in kinds_of(ComparisonConfig).items()}
    return {**kinds, "seeds": list[Seed]}  # of none of them the comparison has a sentence of its own


def _content(path: Path) -> dict[str, Any]:
    """The file, with what the file behind `base.from` says, which is named relative to the first."""
    content = read_mapping(path)
    if _is_run(content):
        return {"base": content}
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


def _inner(overrides: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Overrides of keys in `base` and `arms`, nested, and the rest of the words.

    The parser would take them for new values of whole sections, of which the file's other keys were lost.

    Raises:
        ValueError: for a value that is not YAML, or a key within what another override says.
    """
    nested: dict[str, Any] = {}
    rest: list[str] = []
    words = iter(overrides)
    for word in words:
        if not word.startswith(("--base.", "--arms.")):
            rest.append(word)
            continue
        key, equals, value = word[2:].partition("=")
        *sections, last = key.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                raise ValueError(f"{key}: lies within {section}, which another option sets; leave one of them out")
        try:
            place[last] = load_yaml(value if equals else next(words, ""))
        except BadYaml as error:
            raise ValueError(f"{key}: is not read ({error})") from error
    return nested, rest


def _is_run(content: Mapping[str, Any]) -> bool:
    """Whether a file is the configuration of a run; both kinds have seeds."""
    own = content.keys() - {"seeds"}
    return bool(own) and own <= set(SECTIONS)


def _of_base(values: Mapping[str, Any], named: bool) -> tuple[dict[str, Any], list[str]]:
    """The keys of a comparison, with the twins of the base as arms, and its seeds unless others are named.

    Returns:
        The keys, and what is to be said about them.
    """
    base = dict(values["base"])
    twins, seeds = (_list(base.pop(name, None), name) for name in ("twins", "seeds"))
    if twins and values["arms"]:
        both = f"{', '.join(values['arms'])} beside base.twins {', '.join(map(str, twins))}"
        raise ValueError(f"arms: got {both}; leave one of them out")
    arms = _arms_of(values, base, twins) or values["arms"]
    own = values["seeds"] if named or not seeds else seeds
    notes = [f"arms: the twins of the base, {', '.join(arms)}"] if twins else []
    notes += [f"seeds: those of the {'comparison' if named else 'base'}, {', '.join(map(str, own))}"] if seeds else []
    return {**values, "base": base, "arms": arms, "seeds": own}, notes


def _arms_of(values: Mapping[str, Any], base: dict[str, Any], twins: list[Any]) -> dict[str, Any]:
    """An arm for each twin of the base, with steps of its own where the base has them."""
    steps = base.pop("twin_steps", None) if twins else None
    if steps and (values["steps"] or values["epochs"]):
        raise ValueError(
            f"base.twin_steps: got {steps} beside steps or epochs of the comparison; leave one of them out"
        )
    if not isinstance(steps, dict | None):
        raise ValueError(f"base.twin_steps: got {steps!r}, must hold twins and their steps")
    return {str(t): {"twin": t, **({"train": {"steps": steps[t]}} if steps and t in steps else {})} for t in twins}


def _list(value: object, name: str) -> list[Any]:
    if isinstance(value, str):
        value = load_yaml(value)
    if not isinstance(value, list | None):
        raise ValueError(f"base.{name}: got {value!r}, must be a list")
    return value or []
