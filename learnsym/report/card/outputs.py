"""Which part of what a model returns is measured, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

from learnsym.measure._probe import Output


def output_named(key: str) -> Output:
    """Takes the part of a model's output that is called `key`.

    Args:
        key: a key of a dictionary, an attribute of a named tuple, dataclass or other object, or the number of a member
            of a tuple; of a part of a part, with a dot between the two, such as `heads.0`.

    Raises:
        ValueError: when called with an output that has no such part.

    Example:
        >>> output = ls.report.card.output_named("logits.1")
        >>> output({"logits": (torch.zeros(1), torch.ones(1))})
        tensor([1.])
    """

    def part(returned: Any) -> Tensor:  # noqa: ANN401
        return _part(returned, key, key)

    return part


def described(returned: object) -> str:
    """What a model returns, in words, with the names of its parts."""
    names = list(parts_of(returned))
    kind = "dict" if isinstance(returned, dict) else type(returned).__name__
    if isinstance(returned, Tensor) or not names:
        return f"a {kind}"
    return f"a {kind} with {'keys' if isinstance(returned, Mapping) else 'parts'} {', '.join(names)}"


def _part(returned: Any, key: str, whole: str) -> Any:  # noqa: ANN401
    parts = parts_of(returned)
    if key in parts:
        return parts[key]
    first, _, rest = key.partition(".")
    if rest and first in parts:
        return _part(parts[first], rest, whole)
    if isinstance(returned, Tensor):
        raise ValueError(f"output: got {whole!r}, but there the model returns one tensor; leave out what names a part")
    raise ValueError(f"output: got {whole!r}, but the model returns {described(returned)}; name one of them")


def parts_of(returned: object) -> dict[str, Any]:
    """The parts of an output by name; members of tuples and lists by number, too."""
    if isinstance(returned, Tensor):
        return {}
    if isinstance(returned, Mapping):
        return {str(name): value for name, value in returned.items()}
    members = returned if isinstance(returned, (tuple, list)) else ()
    return {name: getattr(returned, name) for name in _names(returned)} | {str(i): v for i, v in enumerate(members)}


def _names(returned: object) -> list[str]:
    if isinstance(returned, tuple):
        # of a named tuple, or of one of torch.return_types
        names = getattr(returned, "_fields", None) or dir(returned)
        return [name for name in names if isinstance(getattr(returned, name), Tensor)]
    if is_dataclass(returned):
        return [field.name for field in fields(returned)]
    attributes = (*getattr(returned, "__dict__", ()), *getattr(returned, "__slots__", ()))
    return [name for name in attributes if hasattr(returned, name) and not name.startswith("_")]
