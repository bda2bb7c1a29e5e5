"""Watching a network run: which of its operations break quarter turns and flips, and in which layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils.hooks import RemovableHandle

from learnsym.measure._probe import Model
from learnsym.measure.exactness.resampled import borders, resampled, uneven
from learnsym.measure.exactness.slices import Cut, closed, cut_of
from learnsym.measure.exactness.windowed import windowed
from learnsym.measure.exactness.windows import Grid, Sides, sides_of


@dataclass(frozen=True, kw_only=True)
class Break:
    """An operation that does not commute with quarter turns and flips at the size at which it ran."""

    layer: str
    """Path of the module in which it ran; its place in the order of operations when that is the network itself."""
    operation: str
    """Name of the function."""
    reason: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.operation}, {self.reason}"


@contextmanager
def running_modules(model: Model) -> Iterator[list[str]]:
    """The paths of the modules that are running, innermost last."""
    path: list[str] = []
    modules = model.named_modules() if isinstance(model, nn.Module) else ()
    hooks = [hook for name, module in modules for hook in _hooks(module, name, path)]
    try:
        yield path
    finally:
        for hook in hooks:
            hook.remove()


class Observer(TorchFunctionMode):
    """Notes the operations that break exactness while a network runs; `path` holds the modules that are running."""

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__()
        self._path = path
        self._seen = 0
        self._breaks: dict[object, Break] = {}
        # tensors are held, so that nothing else gets their id
        self._padded: dict[int, tuple[Tensor, Sides, Sides]] = {}
        self._sliced: dict[int, tuple[Tensor, set[Cut]]] = {}

    @property
    def breaks(self) -> tuple[Break, ...]:
        """The operations that break exactness, in the order in which they ran."""
        return tuple(self._breaks.values())

    def __torch_function__(self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None) -> object:
        kwargs = kwargs or {}
        returned = func(*args, **kwargs)
        out = returned[0] if isinstance(returned, tuple) else returned
        if func is F.pad:
            self._pad(out, *args, **kwargs)
        elif func is Tensor.__getitem__:
            self._slice(*args)
        elif func in windowed:
            self._slide(func, out, *args, **kwargs)
        elif func in resampled:
            self._resample(func, out, *args, **kwargs)
        return returned

    def _slide(self, func: Callable, out: Tensor, input: Tensor, *args: object, **kwargs: object) -> None:
        _, sides, before = self._padded.get(id(input), (input, sides_of(input), (0, 0)))
        # uneven padding is judged together with the windows that read it
        self._breaks.pop(("pad", id(input)), None)
        grid = Grid(sides=sides, before=before, out=sides_of(out))
        self._note(func, windowed[func](grid, input, *args, **kwargs))

    def _resample(self, func: Callable, out: Tensor, input: Tensor, *args: object, **kwargs: object) -> None:
        grid = Grid(sides=sides_of(input), before=(0, 0), out=sides_of(out))
        self._note(func, resampled[func](grid, input, *args, **kwargs))

    def _pad(self, out: Tensor, input: Tensor, pad: Sequence[int], *_: object, **__: object) -> None:
        if input.ndim != 4:
            return
        before, _ = borders(pad)
        self._padded[id(out)] = (out, sides_of(input), before)
        self._note(F.pad, uneven(pad), key=("pad", id(out)))

    def _slice(self, input: Tensor, index: object) -> None:
        cut = cut_of(input, index)
        if cut is None:
            return
        _, cuts = self._sliced.setdefault(id(input), (input, set()))
        cuts.add(cut)
        # what one slice leaves out another may take
        reason = None if closed(cuts) else f"takes {', '.join(map(str, cuts))}, not their mirror images"
        self._note(Tensor.__getitem__, reason, key=("slice", id(input)))

    def _note(self, func: Callable, reason: str | None, key: object = None) -> None:
        self._seen += 1
        key = self._seen if key is None else key
        if reason is None:
            self._breaks.pop(key, None)
            return
        layer = (self._path[-1] if self._path else "") or f"operation {self._seen}"
        name = str(resolve_name(func)).rpartition(".")[2]
        self._breaks[key] = Break(layer=layer, operation=name, reason=reason)


def _hooks(module: nn.Module, name: str, path: list[str]) -> tuple[RemovableHandle, RemovableHandle]:
    def enter(*_: object) -> None:
        path.append(name)

    def leave(*_: object) -> None:
        path.pop()

    return module.register_forward_pre_hook(enter), module.register_forward_hook(leave, always_call=True)
