"""At which input sizes a network commutes with quarter turns and flips, as far as its strided operations decide.

The network runs while it is watched: which of its operations break exactness, and in which layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils.hooks import RemovableHandle

from learnsym._modes import evaluating, keeping_buffers, module_of
from learnsym.measure._probe import Model, check_layers
from learnsym.measure.exactness.operations import Cut, borders, closed, cut_of, resampled, uneven, windowed
from learnsym.measure.exactness.windows import Grid, Sides, sides_of

Size = int | tuple[int, int]
"""Pixels: the side of a square, or rows and columns."""


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


@dataclass(frozen=True, kw_only=True)
class SizeVerdict:
    """What a network does at one input size."""

    size: Size
    breaks: tuple[Break, ...] = ()
    """The operations that break exactness, in the order in which they ran."""
    error: str | None = None
    """Why the network cannot run at this size; None when it can."""

    @property
    def exact(self) -> bool:
        """Whether the network runs and nothing breaks exactness."""
        return self.error is None and not self.breaks

    def __str__(self) -> str:
        size = self.size if isinstance(self.size, int) else "×".join(map(str, self.size))
        if self.error is not None:
            return f"{size} cannot run: {self.error}"
        return f"{size} exact" if self.exact else f"{size} broken by {self.breaks[0]}"


@dataclass(frozen=True, kw_only=True)
class ExactSizes:
    """The verdict on each input size."""

    verdicts: tuple[SizeVerdict, ...]

    @property
    def exact(self) -> tuple[Size, ...]:
        """The sizes at which the network is exact."""
        return tuple(verdict.size for verdict in self.verdicts if verdict.exact)

    def __str__(self) -> str:
        return "\n".join(map(str, self.verdicts))


def exact_sizes(model: Model, sizes: Iterable[Size], *, channels: int | None = None) -> ExactSizes:
    """The input sizes at which every strided operation of a network commutes with quarter turns and flips.

    A convolution, pool, interpolation or slice reads positions `q_o` along each axis of its input. It is exact when a
    flip takes the positions of output `o` to those of output `n-1-o`; for kernel `k`, stride `s`, padding `p`, dilation
    `d` and side `i` this is `(i + 2p - d(k-1) - 1) mod s = 0` on both axes, and rows are read as columns are.

    Decided are *positions only*: an ordinary network has filters that are not symmetric, and is exact at no size. The
    claim is that a network with these operations *and* equivariant filters is exact at these sizes; at every other it
    is not (unless by chance on maps of up to 3 pixels), and may learn to break the symmetry.

    The network is run, on an empty batch or, if it refuses that, on one black image. Uneven padding is judged with the
    convolution or pool that reads it, slices of one map together. Not seen: what moves pixels by reshape, roll or
    attention, slices of one axis, position embeddings, fully connected layers on unpooled maps, operations on volumes.

    Args:
        model: any callable of images `(B, C, H, W)`; a module is put into evaluation mode and back, and gets images of
            the type and on the device of its weights, another callable `float32` on the CPU.
        sizes: sides of square images, or `(rows, columns)`, pixels.
        channels: `C`; that of the first convolution when None, 3 for a network that has none.

    Returns:
        A verdict for each size, in the order given: exact, the operations that break it, or why the network cannot run.

    Raises:
        ValueError: for no sizes, a size or channels below 1, modules of `torch.jit`, which cannot be watched, or a
            network that runs at no size with channels that were not given.

    Reference:
        Edixhoven, Lengyel and van Gemert 2023, arXiv 2308.11316.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, stride=2, padding=1))
        >>> print(ls.measure.exact_sizes(net, range(28, 31), channels=1))
        28 broken by 2: conv2d, 3×3 windows at stride 2×2 on 14×14 pixels, -0.5 rows and -0.5 columns off centre
        29 broken by 1: max_pool2d, 2×2 windows at stride 2×2 on 29×29 pixels, -0.5 rows and -0.5 columns off centre
        30 exact
    """
    chosen = tuple(sizes)
    count = channels_of(model) if channels is None else channels
    _check(model, chosen, count)
    with torch.no_grad(), evaluating(model), keeping_buffers(model), running_modules(model) as path:
        verdicts = tuple(_verdict(model, size, count, path) for size in chosen)
    if channels is None and all(verdict.error for verdict in verdicts):
        raise ValueError(
            f"channels: got None, read as {count}, with which the network runs at none of the sizes ({verdicts[0]}); "
            "pass the channels of its images"
        )
    return ExactSizes(verdicts=verdicts)


def channels_of(model: Model) -> int:
    """The channels of images that a network takes: those of its first convolution, 3 where there is none."""
    module = module_of(model)
    modules = [] if module is None else list(module.modules())
    counts = (getattr(each, "in_channels", None) for each in modules)
    return next((count for count in counts if isinstance(count, int) and count > 0), 3)


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


def _verdict(model: Model, size: Size, channels: int, path: list[str]) -> SizeVerdict:
    error = None
    # an empty batch meets every check of shapes and costs no arithmetic, but some models refuse it
    for examples in (0, 1):
        try:
            return SizeVerdict(size=size, breaks=_breaks(model, _zeros(model, examples, channels, size), path))
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}".splitlines()[0]
    return SizeVerdict(size=size, error=error)


def _breaks(model: Model, x: Tensor, path: list[str]) -> tuple[Break, ...]:
    # code compiled by torch.compile cannot be watched, the Python code that it stands for can
    with torch.compiler.set_stance("force_eager"), Observer(path) as observer:
        model(x)
    return observer.breaks


def _zeros(model: Model, examples: int, channels: int, size: Size) -> Tensor:
    weights = model.parameters() if isinstance(model, nn.Module) else iter(())
    weight = next((weight for weight in weights if weight.is_floating_point()), torch.empty(0))
    rows, columns = size if isinstance(size, tuple) else (size, size)
    return weight.new_zeros(examples, channels, rows, columns)


def _check(model: Model, sizes: tuple[Size, ...], channels: int) -> None:
    if not sizes:
        raise ValueError("sizes: got none; pass sides of images in pixels, e.g. range(28, 36)")
    smallest = min(side for size in sizes for side in (size if isinstance(size, tuple) else (size,)))
    if smallest < 1:
        raise ValueError(f"sizes: got {smallest}, must be >= 1 pixel")
    if channels < 1:
        raise ValueError(f"channels: got {channels}, must be >= 1; 3 for colour images")
    check_layers(model)


def _hooks(module: nn.Module, name: str, path: list[str]) -> tuple[RemovableHandle, RemovableHandle]:
    def enter(*_: object) -> None:
        path.append(name)

    def leave(*_: object) -> None:
        path.pop()

    return module.register_forward_pre_hook(enter), module.register_forward_hook(leave, always_call=True)
