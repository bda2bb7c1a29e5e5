"""Structured data: a part of a whole by its key, and what is done to all tensors of a whole.

A *whole* is a tensor, or a dict, tuple, list, named tuple, dataclass or other object that holds wholes: what a model
with several inputs takes, and what a model with several outputs returns.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

Whole = Any
"""A tensor, or a structure of tensors."""


@dataclass(frozen=True)
class Part:
    """One part of a whole, which is got and put by its key; the empty key stands for the whole itself.

        get(put(w, t)) = t,    put(w, get(w)) = w,    put(put(w, a), b) = put(w, b)

    Args:
        key: a key of a dictionary, an attribute of a named tuple, dataclass or other object, or the number of a member
            of a tuple or list; of a part of a part, with a dot between the two, such as `heads.0`.
        argument: what asked for it, which errors name.

    Example:
        >>> from learnsym.parts import Part
        >>> part = Part("image")
        >>> part.put({"image": torch.zeros(1), "age": torch.ones(1)}, torch.tensor([3.0]))
        {'image': tensor([3.]), 'age': tensor([1.])}
    """

    key: str = ""
    argument: str = "part"

    def get(self, whole: Whole) -> Any:  # noqa: ANN401  a tensor, where that is what it holds
        """The part.

        Raises:
            ValueError: when the whole has no such part.
        """
        for step in self._path(whole):
            whole = parts_of(whole)[step]
        return whole

    def put(self, whole: Whole, value: Any) -> Whole:  # noqa: ANN401
        """A copy of the whole with another value for the part; all else is shared with it.

        Raises:
            ValueError: when the whole has no such part.
        """
        return _with(whole, self._path(whole), value)

    def _path(self, whole: Whole) -> list[str]:
        """The keys of one whole within the other; a key may have dots itself."""
        steps, rest = [], self.key
        while rest:
            step = _first(rest, parts_of(whole))
            if step is None:
                raise ValueError(self._refusal(whole))
            steps.append(step)
            whole, rest = parts_of(whole)[step], rest[len(step) + 1 :]
        return steps

    def _refusal(self, whole: Whole) -> str:
        got = f"{self.argument}: got {self.key!r}, but there is"
        if isinstance(whole, Tensor):
            return f"{got} one tensor; leave out what names a part"
        return f"{got} {described(whole)}; name one of them"


WHOLE = Part()


def parts_of(whole: Whole) -> dict[str, Any]:
    """The parts of a whole by name; members of tuples and lists by number, too. A tensor has none."""
    if isinstance(whole, Tensor):
        return {}
    if isinstance(whole, Mapping):
        return {str(name): value for name, value in whole.items()}
    members = whole if isinstance(whole, (tuple, list)) else ()
    return {name: getattr(whole, name) for name in _names(whole)} | {str(i): v for i, v in enumerate(members)}


def described(whole: Whole) -> str:
    """What a whole is, in words, with the names of its parts."""
    names = list(parts_of(whole))
    kind = "dict" if isinstance(whole, dict) else type(whole).__name__
    if isinstance(whole, Tensor) or not names:
        return f"a {kind}"
    return f"a {kind} with {'keys' if isinstance(whole, Mapping) else 'parts'} {', '.join(names)}"


def tensors_in(whole: Whole, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """The tensors of a whole, each with its key, such as `image` or `heads.0`; that of a single tensor is `path`."""
    if isinstance(whole, Tensor):
        yield path, whole
        return
    for key, value in _members(whole).items():
        yield from tensors_in(value, f"{path}.{key}" if path else key)


def mapped(function: Callable[[Any], Any], whole: Whole, kind: type = Tensor) -> Whole:
    """The whole with `function(tensor)` for each of its tensors, or of what else is of a kind; all else stays.

    Example:
        >>> from learnsym.parts import mapped
        >>> mapped(lambda t: t + 1, (torch.zeros(2), {"age": torch.ones(1)}, "left"))
        (tensor([1., 1.]), {'age': tensor([2.])}, 'left')
    """
    if isinstance(whole, kind):
        return function(whole)
    for key, value in _members(whole).items():
        new = mapped(function, value, kind)
        whole = whole if new is value else _replaced(whole, key, new)
    return whole


def examples(whole: Whole, argument: str = "x") -> int:
    """How many examples a whole holds: the length of every tensor in it but those without axes.

    Raises:
        ValueError: when there is no tensor, or two of them have different lengths; `argument` is named.

    Example:
        >>> from learnsym.parts import examples
        >>> examples({"image": torch.zeros(5, 1, 8, 8), "age": torch.zeros(5)})
        5
    """
    lengths = {key: len(tensor) for key, tensor in tensors_in(whole) if tensor.ndim}
    if len(set(lengths.values())) == 1:
        return next(iter(lengths.values()))
    if not lengths:
        raise ValueError(f"{argument}: got {described(whole)}, which holds no tensor with a batch axis; give examples")
    counts = ", ".join(f"{count} in {key}" for key, count in lengths.items())
    raise ValueError(f"{argument}: its parts have different numbers of examples ({counts}); give one row per example")


def chosen(whole: Whole, index: Tensor | slice) -> Whole:
    """The examples of an index or slice; tensors without axes are shared by all."""
    return mapped(lambda t: t[index] if t.ndim else t, whole)


def split(whole: Whole, size: int) -> Iterator[Whole]:
    """Batches of `size` examples, the last of which may be smaller."""
    for start in range(0, examples(whole), size):
        yield chosen(whole, slice(start, start + size))


def repeated(whole: Whole, count: int) -> Whole:
    """All examples `count` times, one copy of the batch after the other."""
    if count == 1:
        return whole
    return mapped(lambda t: t.repeat(count, *[1] * (t.ndim - 1)) if t.ndim else t, whole)


def joined(wholes: Sequence[Whole]) -> Whole:
    """The examples of all wholes of one structure, one after the other."""
    rows = zip(*([tensor for _, tensor in tensors_in(whole)] for whole in wholes), strict=True)
    tensors = iter([torch.cat(row) if row[0].ndim else row[0] for row in rows])
    return mapped(lambda _: next(tensors), wholes[0])


def device_of(whole: Whole) -> torch.device:
    """Where the first of its tensors lies; the CPU for none."""
    return next((tensor.device for _, tensor in tensors_in(whole)), torch.device("cpu"))


def moved_to(whole: Whole, device: torch.device | str) -> Whole:
    """All tensors on a device."""
    return mapped(lambda t: t.to(device), whole)


def _first(key: str, parts: dict[str, Any]) -> str | None:
    """The longest beginning of a dotted key that is a part."""
    words = key.split(".")
    beginnings = [".".join(words[:count]) for count in range(len(words), 0, -1)]
    return next((beginning for beginning in beginnings if beginning in parts), None)


def _members(whole: Whole) -> dict[str, Any]:
    """The parts of a structure that holds data, each once; other objects are left as they are."""
    if isinstance(whole, (tuple, list)) and not hasattr(whole, "_fields"):
        return {str(i): value for i, value in enumerate(whole)}
    if isinstance(whole, tuple):
        return {name: getattr(whole, name) for name in whole._fields}  # pyright: ignore[reportAttributeAccessIssue]
    holds = isinstance(whole, Mapping) or (is_dataclass(whole) and not isinstance(whole, type))
    return parts_of(whole) if holds else {}


def _names(whole: object) -> list[str]:
    if isinstance(whole, tuple):
        # of a named tuple, or of one of torch.return_types
        tensors = [name for name in dir(whole) if isinstance(getattr(whole, name), Tensor)]
        return [*getattr(whole, "_fields", tensors)]
    if is_dataclass(whole):
        return [field.name for field in fields(whole)]
    attributes = (*getattr(whole, "__dict__", ()), *getattr(whole, "__slots__", ()))
    return [name for name in attributes if hasattr(whole, name) and not name.startswith("_")]


def _with(whole: Whole, path: list[str], value: Any) -> Whole:  # noqa: ANN401
    if not path:
        return value
    inner = parts_of(whole)[path[0]]
    return _replaced(whole, path[0], _with(inner, path[1:], value))


def _replaced(whole: Whole, key: str, value: Any) -> Whole:  # noqa: ANN401
    """A copy of one structure with another value at a key."""
    if type(whole) is dict:  # the other way is not traced by torch.compile
        return {name: value if str(name) == key else old for name, old in whole.items()}
    if isinstance(whole, (tuple, list)):
        return _sequence(whole, key, value)
    new = copy.copy(whole)
    if isinstance(whole, Mapping):
        new[next(name for name in whole if str(name) == key)] = value
    else:
        object.__setattr__(new, key, value)  # a frozen dataclass, too
    return new


def _sequence(whole: tuple | list, key: str, value: Any) -> tuple | list:  # noqa: ANN401
    members = [*whole]
    members[int(key) if isinstance(whole, list) else _place(whole, key)] = value
    make = getattr(whole, "_make", None) or type(whole)
    return make(members)


def _place(whole: tuple, key: str) -> int:
    if key.isdecimal():
        return int(key)
    names = getattr(whole, "_fields", None)
    # one of torch.return_types does not say in which order its names are
    return names.index(key) if names else next(i for i, v in enumerate(whole) if v is getattr(whole, key))
