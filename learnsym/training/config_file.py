"""YAML files and dotted overrides to a `RunConfig`, and back."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from functools import cache, lru_cache
from typing import Any

import yaml
from jsonargparse import ActionConfigFile, ArgumentParser, Namespace, set_parsing_settings

from learnsym import methods
from learnsym._keys import WORDS, check_old, given, keys_in
from learnsym._sentences import check_once, sentence
from learnsym._settings import kinds_of, usual
from learnsym._values import YAML, refuse_name
from learnsym._yaml_file import read_yaml
from learnsym.data.config import DataConfig
from learnsym.data.registry import registry as sources
from learnsym.nets.config import BUILT_IN, NetConfig
from learnsym.objectives import choosers
from learnsym.training.config import RunConfig

logger = logging.getLogger(__name__)
set_parsing_settings(docstring_parse_attribute_docstrings=True)
SECTIONS = tuple(RunConfig.__dataclass_fields__)
RUNTIME = ("train.device", "train.tensorboard", "train.threads", "train.sharded", "train.workers", "analysis.")
"""Keys that do not count as part of a configuration, since the trained weights do not depend on them."""
RESUMED = (*RUNTIME, "train.checkpoint_every")
"""Keys that may differ when a run is resumed; runs that differ in the last one have hashes of their own."""


CHOSEN: dict[str, Mapping[str, type]] = {"method": methods.registry, "chooser": choosers.registry}
"""Sections whose settings depend on their `name`."""
USUAL = {"method": RunConfig().method.name, "chooser": RunConfig().chooser.name}
"""Names of the method where none is given, and of its chooser."""


def config_parser(
    chosen: Mapping[str, str] = USUAL, prog: str = "learnsym train", usage: str | None = None, description: str = ""
) -> ArgumentParser:
    """A parser with one dotted option per configuration key, and `--from FILE`.

    Args:
        chosen: names of the method and of the chooser, whose settings are shown; see `names_in`.
        prog, usage, description: of the help text.

    Raises:
        ValueError: for an unknown name.
    """
    parser = ArgumentParser(prog=prog, usage=usage, description=description, exit_on_error=False, parser_mode=YAML)
    parser.add_argument("--from", action=ActionConfigFile, help=argparse.SUPPRESS)
    parser.add_class_arguments(RunConfig, as_group=False, skip=set(CHOSEN))
    for section, kinds in CHOSEN.items():
        if chosen[section] not in kinds:
            refuse_name(section, chosen[section], list(kinds))
        parser.add_class_arguments(kinds[chosen[section]], section)
    return parser


def all_keys() -> list[str]:
    """The keys of every configuration, whatever its method and its chooser; `learnsym._kinds` keeps them."""
    parsers = [config_parser()]
    for section, kinds in CHOSEN.items():
        for kind in kinds.values():
            parsers.append(ArgumentParser())
            parsers[-1].add_class_arguments(kind, section)
    options = {option for parser in parsers for option in parser._option_string_actions}
    return sorted({option[2:] for option in options if option.startswith("--")} - set(WORDS))


def all_kinds() -> dict[str, Any]:
    """The annotation of each of `all_keys`, None where it holds other keys, or methods or choosers differ."""
    found: dict[str, list[Any]] = {key: [] for key in all_keys()}
    own = {name: kind for name, kind in kinds_of(RunConfig).items() if name not in CHOSEN}
    chosen = [(f"{section}.", kinds_of(each)) for section, kinds in CHOSEN.items() for each in kinds.values()]
    for prefix, kinds in [("", own), *chosen]:
        for key, kind in _leaves(kinds, prefix):
            found[key].append(kind)
    return {key: kinds[0] if kinds and kinds == kinds[:1] * len(kinds) else None for key, kinds in found.items()}


def _leaves(kinds: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Annotations by dotted key, of fields that are no dataclasses themselves."""
    for name, kind in kinds.items():
        if is_dataclass(kind):
            yield from _leaves(kinds_of(kind), f"{prefix}{name}.")  # type: ignore[arg-type]
        else:
            yield f"{prefix}{name}", kind


def names_in(arguments: Sequence[str], content: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Names of the method and of the chooser that a file and arguments choose; the later word counts.

    A chooser that is not named is the usual one of the method.

    Args:
        arguments: words of a command line.
        content: of the file.

    Raises:
        ValueError: for arguments that name them inside of a mapping.
    """
    method = _chosen("method", arguments, content or {}) or USUAL["method"]
    usual = methods.registry[method].choosers[0] if method in methods.registry else USUAL["chooser"]
    return {"method": method, "chooser": _chosen("chooser", arguments, content or {}) or usual}


def _chosen(section: str, arguments: Sequence[str], content: Mapping[str, Any]) -> str | None:
    """The name in a section, None where there is none."""
    values = content.get(section)
    if any(word.partition("=")[0] == f"--{section}" for word in arguments):
        raise ValueError(f"{section}: got keys in one word; write each by itself, such as --{section}.name NAME")
    in_file = str(values["name"]) if isinstance(values, Mapping) and "name" in values else None
    return given(f"{section}.name", arguments) or in_file


def parse(parser: ArgumentParser, arguments: Sequence[str]) -> tuple[RunConfig, Namespace]:
    """The configuration that the arguments spell, and all parsed values.

    Raises:
        ValueError: one sentence that names the key.
    """
    values = instantiated(parser, lambda: parser.parse_args(list(arguments)))
    return RunConfig(**{name: values[name] for name in SECTIONS}), values


def instantiated(parser: ArgumentParser, parsed: Callable[[], Namespace]) -> Any:  # noqa: ANN401  a Namespace
    """What a parser reads, with dataclasses in place of their fields.

    Raises:
        ValueError: one sentence that names the key.
    """
    try:
        instantiate = getattr(parser, "instantiate", None) or parser.instantiate_classes  # the name until 4.49
        return instantiate(parsed())
    except (argparse.ArgumentError, TypeError, KeyError) as error:
        raise ValueError(sentence(str(error))) from error


def config_of(values: Mapping[str, Any]) -> RunConfig:
    """The configuration with these differences from the defaults, as nested mappings.

    Raises:
        ValueError: when a key or value is unknown.

    Example:
        >>> from learnsym.training.config_file import config_of
        >>> config_of({"net": {"width": 4}}).net.width
        4
    """
    check_sections(values)
    check_names_no_class(values)
    parser = _reader(**names_in([], values))
    values_read = instantiated(parser, lambda: parser.parse_object(dict(values)))
    return RunConfig(**{name: values_read[name] for name in SECTIONS})


@cache
def _reader(**chosen: str) -> ArgumentParser:
    """The parser of configurations that choose these, of which a comparison has one for each arm."""
    return config_parser(chosen)


def read_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> RunConfig:
    """Read a YAML file of differences from the defaults, then apply overrides such as `["--train.steps", "10"]`.

    Raises:
        ValueError: when the file is missing or not YAML, or a key or value is unknown.
    """
    return parse(parser_of(path, overrides), [*file_arguments(path, overrides), *overrides])[0]


def parser_of(path: str | os.PathLike[str], arguments: Sequence[str], **texts: str) -> ArgumentParser:
    """The parser for a YAML file with overrides: its options are those of the method and the chooser that they name.

    Raises:
        ValueError: when the file is missing or not YAML, a key is given twice, or a name or key is unknown or is one of
            old configurations.
    """
    check_old(keys_in(arguments))
    check_once(arguments)
    return config_parser(names_in(arguments, read_mapping(path)), **texts)


def file_arguments(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> list[str]:
    """The arguments that make the parser read a YAML file; ValueError unless it holds known keys or nothing.

    Where an override names another method or chooser than the file, or a network or data of somebody else, the file's
    settings of its own are left out, which is said. So are its steps by twin, where an override names other twins or
    steps.
    """
    content = _without_twin_steps(read_mapping(path), path, overrides)
    check_sections(content)
    own, chosen = names_in([], content), names_in(overrides, content)
    for section, default, known in (("net", NetConfig.name, BUILT_IN), ("data", DataConfig.name, sources)):
        named = given(f"{section}.name", overrides)
        if named is not None and named not in known:
            own[section], chosen[section] = str(content.get(section, {}).get("name", default)), named
    kept = {key: value for key, value in content.items() if own.get(key) == chosen.get(key)}
    for key in content.keys() - kept.keys():
        unused = ", ".join(name for name in content[key] if name != "name")
        if unused:
            logger.info("%s is %s: settings of %s in %s are left out (%s)", key, chosen[key], own[key], path, unused)
    return ["--from", yaml.safe_dump(kept)] if kept else []


def _without_twin_steps(
    content: dict[str, Any], path: str | os.PathLike[str], overrides: Sequence[str]
) -> dict[str, Any]:
    changed = [key for key in ("twins", "train.steps") if given(key, overrides) is not None]
    if not changed or "twin_steps" not in content:
        return content
    logger.info("--%s: twin_steps of %s (%s) are left out", " and --".join(changed), path, content["twin_steps"])
    return {key: value for key, value in content.items() if key != "twin_steps"}


def read_mapping(path: str | os.PathLike[str], name: str = "config") -> dict[str, Any]:
    """The keys and values of a YAML file.

    Args:
        path: of the file.
        name: of the argument that led here, with which the error begins.

    Raises:
        ValueError: when it is missing or holds something else.
    """
    content = read_yaml(path, name)
    if not isinstance(content, dict | None):
        raise ValueError(f"{name}: {os.fspath(path)} must hold keys and values, such as `train: {{steps: 100}}`")
    check_names_no_class(content or {})
    return content or {}


def check_names_no_class(content: Mapping[str, Any]) -> None:
    """Refuse the keys by which the parser would import a module: a configuration is read, and executes nothing."""
    left: list[Any] = [dict(content)]
    seen: set[int] = set()
    while left:
        value = left.pop()
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        for key in value if isinstance(value, dict) else ():
            if str(key).rpartition(".")[2] in ("class_path", "init_args"):
                raise ValueError(f"{key}: unknown key; a configuration names no classes, write their settings")
        left.extend(value.values() if isinstance(value, dict) else value)


def check_sections(content: Mapping[str, Any]) -> None:
    """Refuse keys that no configuration of a run has."""
    for key, value in content.items():
        check_old(f"{key}.{name}" for name in (value if isinstance(value, dict) else [""]))
    for key, value in content.items():
        if key not in SECTIONS:
            raise ValueError(f"{key}: unknown key; known keys are {', '.join(SECTIONS)}")
        if key not in ("twin", "twins", "seeds") and not isinstance(value, dict):
            raise ValueError(f"{key}: got {value!r}, must hold keys and values; leave it out for the defaults")


def dump_config(config: RunConfig) -> str:
    """The whole configuration as YAML."""
    return yaml.safe_dump(asdict(config), sort_keys=False, allow_unicode=True)


def difference(ours: RunConfig, theirs: RunConfig) -> str | None:
    """The first key, outside `RESUMED`, on which two configurations differ."""
    left, right = dict(_flat(asdict(ours))), dict(_flat(asdict(theirs)))
    for key in left | right:
        if left.get(key) != right.get(key) and not key.startswith(RESUMED):
            return key
    return None


def config_hash(config: RunConfig) -> str:
    """Twelve hexadecimal digits of all that the trained weights depend on.

    Keys at their defaults do not count, so that the hash outlives versions that add keys.
    """
    own = {key: value for name in SECTIONS for key, value in _counted(name, _Same(getattr(config, name)))}
    own |= {f"{name}.name": getattr(config, name).name for name in CHOSEN}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class _Same:
    """An object as a key that is equal to itself alone."""

    value: object

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


@lru_cache(maxsize=4096)
def _counted(name: str, section: _Same) -> tuple[tuple[str, object], ...]:
    """The changed keys of a section that count; configurations of a comparison share their sections."""
    changed = _changed(name, section.value, getattr(usual(RunConfig), name))
    return tuple((key, value) for key, value in changed if not key.startswith((*RUNTIME, "data.label")))


def _changed(key: str, value: object, default: object) -> Iterator[tuple[str, object]]:
    """Dotted keys whose values are not the defaults; a method or chooser of another class has defaults of its own."""
    if value == default:
        return
    if is_dataclass(value):
        defaults = default if default is None or type(default) is type(value) else usual(type(value))
        for name in kinds_of(type(value)):
            yield from _changed(f"{key}.{name}", getattr(value, name), getattr(defaults, name, None))
    elif isinstance(value, dict):
        usual_values = dict(_flat({key: default}))
        yield from (item for item in _flat({key: value}) if usual_values.get(item[0]) != item[1])
    else:
        yield key, value


def value_at(config: RunConfig, key: str) -> object:
    """The value of a dotted key."""
    return dict(_flat(asdict(config))).get(key)


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
