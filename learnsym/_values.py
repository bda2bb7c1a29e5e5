"""Values of keys: a wrong one is refused at once, in the sentence of the configuration, while torch takes seconds."""

from __future__ import annotations

from argparse import ArgumentError
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from jsonargparse import ArgumentParser, Namespace, set_loader

from learnsym._keys import about, given, keys_in, parts_of
from learnsym._kinds import COMPARISON, KINDS, NAMES
from learnsym._places import check_factory, check_named, check_source
from learnsym._sentences import sentence
from learnsym._settings import check
from learnsym._yaml_file import load_yaml

YAML = "learnsym"
"""The mode of parsers that read values as files are read."""
set_loader(YAML, load_yaml)


def check_run_values(content: Mapping[str, Any], arguments: Sequence[str] = ()) -> None:
    """Refuse values of a configuration of a run that no method and no chooser takes.

    What depends on other values, or on the method, is left to the configuration itself.

    Args:
        content: of the file.
        arguments: words of a command line, which count more; settings of the file beside another name of theirs do not.

    Raises:
        ValueError: one sentence with the key, the value and what it may be.
    """
    kept = {section: own for section, own in content.items() if given(f"{section}.name", arguments) is None}
    for section in ("method", "chooser"):
        name = _name(section, content, arguments)
        if name is not None and name not in NAMES[section]:
            refuse_name(section, name, NAMES[section])
    check_values(kept, arguments, KINDS)
    name = _name("data", content, arguments)
    if name is not None:
        check_named(name, NAMES["data"])


def check_comparison_values(content: Mapping[str, Any], arguments: Sequence[str]) -> None:
    """Refuse values of a comparison, of its base and of its arms.

    Args:
        content: of the file.
        arguments: words of a command line, which are keys of the comparison, or of its base behind `base.`.

    Raises:
        ValueError: one sentence with the part, the key, the value and what it may be.
    """
    for name, own in parts_of(content).items():
        about(name, check_run_values, own)
    about("base", check_run_values, {}, [f"--{word[7:]}" for word in _words(arguments) if word.startswith("--base.")])
    check_values(content, arguments, COMPARISON)


def check_new_run(content: Mapping[str, Any], arguments: Sequence[str], out: Path) -> None:
    """Refuse files that are not there, of data and network of a run that has not been begun: others keep their own.

    Raises:
        ValueError: with the path.
    """
    data, net = (_name(section, content, arguments) for section in ("data", "net"))
    if out.exists():
        return
    if data is not None and data not in NAMES["data"]:
        check_source(data)
    if net is not None:
        check_factory(net, "net.name")


def refuse_name(section: str, name: str, known: Sequence[str]) -> None:
    """Say which names a section has.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{section}.name: got {name!r}, must be one of {', '.join(known)}")


def check_values(content: Mapping[str, Any], arguments: Sequence[str], kinds: Mapping[str, Any]) -> None:
    """Refuse values that their keys do not take, those of a file first.

    Args:
        content: of the file, nested.
        arguments: words of a command line.
        kinds: the annotation of each dotted key, or None, whose values are not looked at.

    Raises:
        ValueError: one sentence with the key, the value and what it may be.
    """
    values = _dotted(content, kinds)
    parser = _parser([*values, *keys_in(arguments)], kinds)
    _checked(lambda: parser.parse_object(_nested(values)), kinds)
    known = [word for word in _words(arguments) if kinds.get(keys_in([word])[0]) is not None]
    _checked(lambda: parser.parse_args(known), kinds)


def _name(section: str, content: Mapping[str, Any], arguments: Sequence[str]) -> str | None:
    """The name that a section is given, None where it has none, or one that is no text."""
    own = content.get(section)
    in_file = own.get("name") if isinstance(own, Mapping) else None
    word = given(f"{section}.name", arguments)
    return word if word is not None else in_file if isinstance(in_file, str) else None


def _dotted(content: Mapping[str, Any], kinds: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of a file whose kinds are known, by dotted key."""
    kept: dict[str, Any] = {}
    for key, value in content.items():
        if kinds.get(f"{prefix}{key}") is not None:
            kept[f"{prefix}{key}"] = value
        elif isinstance(value, dict):
            kept |= _dotted(value, kinds, f"{prefix}{key}.")
    return kept


def _nested(values: Mapping[str, Any]) -> Namespace:
    """Values by dotted key as the parser takes them."""
    nested = Namespace()
    for key, value in values.items():
        nested[key] = value
    return nested


def _words(arguments: Sequence[str]) -> list[str]:
    """The options among the words of a command line, each with its value in the same word, where it has one."""
    return [
        word if "=" in word or following.startswith("--") else f"{word}={following}"
        for word, following in zip(arguments, [*arguments, "--"][1:], strict=True)
        if word.startswith("--")
    ]


def _parser(keys: Sequence[str], kinds: Mapping[str, Any]) -> ArgumentParser:
    """A parser of some keys, as that of the whole configuration reads them: without ranges, which are checked after."""
    known = {key: kinds[key] for key in keys if kinds.get(key) is not None}
    plain = get_type_hints(type("Plain", (), {"__annotations__": known}))
    parser = ArgumentParser(exit_on_error=False, parser_mode=YAML)
    for key, kind in plain.items():
        parser.add_argument(f"--{key}", type=kind)
    return parser


def _checked(parsed: Callable[[], Namespace], kinds: Mapping[str, Any]) -> None:
    try:
        values = parsed()
    except (ArgumentError, TypeError, KeyError) as error:
        raise ValueError(sentence(str(error))) from error
    for key, value in values.items():
        if value is not None:
            check(key, value, kinds[key])
