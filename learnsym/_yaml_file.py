"""YAML in which every key stands once, numbers are read as in YAML 1.2, and nothing is larger than a configuration."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, ClassVar

import yaml

DEEPEST = 32
"""Lists and mappings inside each other."""
LARGEST = 2**20
"""Bytes of a file."""
MOST = 50_000
"""Values, where each alias counts as all that it stands for."""


TIME = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
"""`1:30`, which is 90 in YAML 1.1."""


class BadYaml(ValueError):
    """A text that is not read, with the reason."""


_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):
    """`1e-3` is a number and `yes`, `010` and `2020-01-01` are text, as in YAML 1.2."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^(?:[-+]?(?:0|[1-9][0-9]{0,39})|0x[0-9a-fA-F]{1,16})$", "-+0123456789"),
    ("float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$", "-+0123456789."),
    ("float", r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", "-+."),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"^<<$", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def read_yaml(path: str | os.PathLike[str], name: str) -> Any:  # noqa: ANN401  whatever the file holds
    """What a file holds.

    Args:
        path: of the file.
        name: of the argument that led here, with which the error begins.

    Raises:
        ValueError: one sentence: when there is no such file, or it is not read, and why.
    """
    try:
        return load_yaml(_text(Path(path)))
    except FileNotFoundError:
        raise ValueError(f"{name}: {os.fspath(path)} does not exist; name a YAML file") from None
    except OSError as error:
        raise ValueError(f"{name}: {os.fspath(path)} cannot be read ({error.strerror}); name a YAML file") from error
    except ValueError as error:
        raise ValueError(f"{name}: {os.fspath(path)} is not read ({error})") from error


def load_yaml(text: str) -> Any:  # noqa: ANN401  whatever the text holds
    """What a text holds, `None` for nothing.

    Raises:
        BadYaml: for what is not YAML, a key that stands twice or is no text, and what is too deep or too large.

    Example:
        >>> from learnsym._yaml_file import load_yaml
        >>> load_yaml("optimiser: {lr: 1e-3}")
        {'optimiser': {'lr': 0.001}}
        >>> load_yaml("{a: 1, a: 2}")
        Traceback (most recent call last):
            ...
        learnsym._yaml_file.BadYaml: a: stands twice, in line 1 and line 1; leave one of them out
    """
    try:
        _check_size(text)
        _check_keys(yaml.compose(text, Loader=_Loader))
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise BadYaml(_sentence(error)) from error


def _text(path: Path) -> str:
    if path.is_dir():
        raise IsADirectoryError(0, "it is a folder")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BadYaml(f"it has more than {LARGEST} bytes, which no configuration has; name a YAML file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadYaml(f"byte {error.start} is no UTF-8 text; save it as UTF-8") from error


def _check_size(text: str) -> None:
    """Refuse what is deep or large, an alias being as large as what it stands for, before anything is built."""
    sizes: dict[str | None, int] = {}
    within: list[tuple[str | None, int]] = [(None, 0)]
    for event in yaml.parse(text, Loader=_Loader):
        if getattr(event, "tag", None):
            raise BadYaml(f"line {_line(event)}: the tag {event.tag} is not read; write the value without it")
        if isinstance(event, yaml.CollectionStartEvent):
            within.append((event.anchor, 1))
        elif isinstance(event, yaml.ScalarEvent):
            if event.style is None or event.style == "":
                _check_plain(event)
            sizes[event.anchor] = 1
            _add(within, 1, event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise BadYaml(f"line {_line(event)}: *{event.anchor} stands for nothing before it, or for itself")
            _add(within, sizes[event.anchor], event)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = within.pop()
            sizes[anchor] = size
            _add(within, size, event)
        if len(within) > DEEPEST:
            raise BadYaml(f"line {_line(event)}: more than {DEEPEST} lists and mappings inside each other; flatten it")


def _check_plain(event: yaml.ScalarEvent) -> None:
    """Refuse what other readers of YAML take for a number of minutes."""
    if TIME.fullmatch(event.value):
        raise BadYaml(f"line {_line(event)}: {event.value} is text or a time; put it in quotes, or write a number")


def _add(within: list[tuple[str | None, int]], size: int, event: yaml.Event) -> None:
    anchor, before = within[-1]
    within[-1] = anchor, before + size
    if before + size > MOST:
        raise BadYaml(f"line {_line(event)}: more than {MOST} values, aliases counted in full; leave some out")


def _check_keys(node: yaml.Node | None, path: str = "", seen: set[int] | None = None) -> None:
    """Refuse keys that stand twice in a mapping, or are no text."""
    seen = set() if seen is None else seen
    if node is None or isinstance(node, yaml.ScalarNode) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _check_keys(child, path, seen)
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name = _key(key, path)
        if name in lines:
            raise BadYaml(f"{name}: stands twice, in line {lines[name]} and line {_line(key)}; leave one of them out")
        lines[name] = _line(key)
        _check_keys(value, f"{name}.", seen)


def _key(key: yaml.Node, path: str) -> str:
    if key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
        given = key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"
        raise BadYaml(f"line {_line(key)}: the key {given or 'null'} is no text; put it in quotes")
    return f"{path}{key.value}"


def _line(place: Any) -> int:  # noqa: ANN401  an event or a node
    return place.start_mark.line + 1


def _sentence(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = "" if mark is None else f"line {mark.line + 1}: "
    parts = [getattr(error, "context", None), getattr(error, "problem", None)]
    problem = " ".join(" ".join(filter(None, parts)).split()) or " ".join(str(error).split())
    return f"{where}{problem}; this is not YAML, such as `train: {{steps: 100}}` is"
