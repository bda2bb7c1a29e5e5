"""Which layer of a network weights, and operations, belong to."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn.utils.parametrize import ParametrizationList

from learnsym.distributions import LearnableDistribution

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTAINERS = (nn.ParameterDict, nn.ParameterList, nn.ModuleDict, nn.ModuleList, ParametrizationList)


class Layers:
    """The modules of a network by name, and the stack of those that are running."""

    def __init__(self, model: nn.Module) -> None:
        self.modules = dict(model.named_modules())
        self._stack: list[str] = [""]

    @property
    def running(self) -> str:
        """The innermost module whose `forward` runs."""
        return self._stack[-1]

    def owner(self, weights: Iterable[str]) -> str:
        """The smallest module, no mere container, that holds all of these weights."""
        paths = [name.split(".")[:-1] for name in weights]
        path = [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))]
        while path and isinstance(self.modules[".".join(path)], CONTAINERS):
            path = path[:-1]
        return ".".join(path)

    def weights(self) -> dict[str, nn.Parameter]:
        """All parameters but those of distributions over a group, which say how data are moved."""
        apart = {
            id(weight)
            for module in self.modules.values()
            if isinstance(module, LearnableDistribution)
            for weight in module.parameters()
        }
        named = self.modules[""].named_parameters()
        return {name: weight for name, weight in named if id(weight) not in apart}

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Know which module runs, for a while."""
        with ExitStack() as hooks:
            for name, module in self.modules.items():
                for handle in self._hooks(name, module):
                    hooks.callback(handle.remove)
            yield

    def _hooks(self, name: str, module: nn.Module) -> tuple[Any, Any]:
        def enter(*_: object) -> None:
            self._stack.append(name)

        def leave(*_: object) -> None:
            self._stack.pop()

        return module.register_forward_pre_hook(enter), module.register_forward_hook(leave, always_call=True)
