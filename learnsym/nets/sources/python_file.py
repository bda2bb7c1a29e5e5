"""FILE.py:factory: a function, class or module of a Python file, which is executed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from learnsym._python_file import called, executed, required_inputs, root_of, sources_of
from learnsym.nets.sources.source import Source, Wanted

GIVEN = {
    **{name: name for name in ("width", "in_shape", "in_channels", "classes", "size")},
    **{"num_classes": "classes", "in_chans": "in_channels"},
}
"""Arguments of a factory that are given where it has them, with what they are: `net.width`, and what the data say."""


@dataclass(frozen=True, kw_only=True)
class PythonFile(Source):
    """What `name` stands for in a file: a function or class that makes a network, or a network itself."""

    path: Path
    name: str
    has_width = True

    @classmethod
    def of(cls, word: str, argument: str) -> PythonFile | None:
        """The source that a word names; None where it names another kind."""
        file, _, name = word.rpartition(":")
        return cls(argument=argument, path=Path(file).absolute(), name=name) if file.endswith(".py") else None

    @property
    def word(self) -> str:
        return f"{self.path}:{self.name}"

    def network(self, wanted: Wanted) -> nn.Module:
        with executed(self.path, self.argument) as module:
            make = self._make(module)
            if "width" not in _arguments(make):
                self.check_width(wanted.width)
            return make if isinstance(make, nn.Module) else self._made(make, wanted)

    def takes_width(self) -> bool:
        with executed(self.path, self.argument) as module:
            return "width" in _arguments(self._make(module))

    def files(self) -> Sequence[Path]:
        root = root_of(self.path.resolve())
        return [path for path in sources_of(self.path) if path.is_relative_to(root)]

    def kept(self) -> Mapping[str, bytes]:
        root = root_of(self.path.resolve())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in self.files()}

    def at(self, folder: Path) -> Source | None:
        path = self.path.resolve()
        return replace(self, path=folder.absolute() / path.relative_to(root_of(path)))

    def _make(self, module: object) -> Callable[..., object]:
        make = getattr(module, self.name, None)
        if not callable(make):
            raise ValueError(
                f"{self.argument}: {self.path.name} has no function {self.name!r}; define def {self.name}() -> "
                "nn.Module"
            )
        return make

    def _made(self, make: Callable[..., object], wanted: Wanted) -> nn.Module:
        known = {name: value for name, what in GIVEN.items() if (value := getattr(wanted, what)) is not None}
        asked = _arguments(make)
        make = partial(make, **{name: value for name, value in known.items() if name in asked})
        file = self.path.name
        if needed := required_inputs(make):
            but = f" but {', '.join(known)}; give defaults to the others" if known else "; give defaults"
            raise ValueError(
                f"{self.argument}: {self.name} of {file} takes {', '.join(needed)}, must take no arguments{but}"
            )
        model = called(make, self.name, file, self.argument)
        if not isinstance(model, nn.Module):
            kind = type(model).__name__
            raise ValueError(
                f"{self.argument}: {self.name}() of {file} returns a {kind}, must be a torch.nn.Module; return one"
            )
        return model


def _arguments(make: Any) -> list[str]:  # noqa: ANN401  whatever stands in the file
    """Names of the arguments of a factory; none of a network that is there already."""
    if isinstance(make, nn.Module):
        return []
    try:
        return list(inspect.signature(make).parameters)
    except (TypeError, ValueError):
        return []
