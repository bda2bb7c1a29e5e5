"""A device that nobody can read: a training step on it that finishes would not hold up a GPU.

PyTorch's device `meta` has shapes and no numbers, so that whatever needs a number on the host fails: `item`, `tolist`,
`bool`, `float`, `cpu`, `numpy`, `nonzero`, an index by a mask, `equal`. What does not fail there and yet waits on a GPU
is looked for among the operations: copies between host and device that wait, and those that look at an error code.
An index that is a list of Python's is not seen.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from learnsym._read_once import ReadOnce
from learnsym.actions import _lattice, sphere
from learnsym.training.loop import _Loop

META = torch.device("meta")
WAITS = {
    *("_linalg_check_errors", "_linalg_eigh", "_linalg_svd", "linalg_eig", "linalg_lstsq", "linalg_ldl_factor"),
    *("bincount", "histc", "masked_select", "nonzero", "_local_scalar_dense", "equal", "is_nonzero", "_unique2"),
}
"""Operations whose kernels on CUDA wait for the device, beside copies."""


class Waits(TorchDispatchMode):
    """Collects what would wait; on a GPU the same is `torch.cuda.set_sync_debug_mode("error")`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.__name__.split(".")[0]
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        own = {tensor.device for tensor in tensors if tensor.dim() or tensor.device == META}
        if name in ("_to_copy", "copy_"):
            if _crosses(name, tensors, args, kwargs):
                self.found.add(name)
        elif len(own) == 2 or (META in own and name in WAITS):
            self.found.add(name)
        return func(*args, **kwargs)


def _crosses(name: str, tensors: list[Tensor], args: Any, kwargs: dict[str, Any]) -> bool:
    """Whether a copy is between host and device, and waits; what a batch brings does not."""
    devices = {tensor.device for tensor in tensors}
    target = torch.device(kwargs["device"]) if kwargs.get("device") is not None else tensors[0].device
    waits = not (kwargs.get("non_blocking") or (name == "copy_" and len(args) > 2 and args[2]))
    return len(devices | {target}) == 2 and (waits or target != META)


@contextlib.contextmanager
def unread() -> Iterator[Waits]:
    """Within, what would wait for the device `meta` is collected, or fails."""
    waits = Waits()
    with pytest.MonkeyPatch.context() as patch:
        autocast = torch.is_autocast_enabled
        patch.setattr(torch, "is_autocast_enabled", lambda *kind: kind != ("meta",) and autocast(*kind))
        patch.setattr(torch, "autocast", lambda *kind, **how: contextlib.nullcontext())
        for owner, name in ((torch, "tensor"), (torch, "as_tensor"), (Tensor, "new_tensor")):
            patch.setattr(owner, name, _from_host(waits, getattr(owner, name)))
        for module in (_lattice, sphere):  # elements of this device count as unreadable, those of a GPU do not
            patch.setattr(module, "readable", _readable_on_gpu)
        with waits:
            yield waits


def _from_host(waits: Waits, make: Any) -> Any:
    """A constructor that copies numbers of the host, which waits."""

    def made(*args: Any, **kwargs: Any) -> Tensor:
        result = make(*args, **kwargs)
        given = args[-1] if args else kwargs.get("data")
        if result.device == META and not (isinstance(given, Tensor) and given.device == META):
            waits.found.add(make.__name__)
        return result

    return made


def _readable_on_gpu(g: Tensor) -> bool:
    return _readable(g) if g.device != META else not torch.is_grad_enabled() and not _lattice.in_transform()


_readable = _lattice.readable


def move_to_meta(loop: _Loop) -> None:
    """Move a training to the device that cannot be read; what was read on the host before stays known there."""
    modules = list(loop.module.modules())
    kept = [module.kept for module in modules if vars(module).get("kept")]
    places = {id(value): (holder, name) for holder in _holders(modules, kept) for name, value in holder.items()}
    read = [reader for module in modules for reader in vars(module).values() if _is_read(reader)]
    places_of_read = [places[id(reader._known[0]())] for reader in read]
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)  # parameters stay the same objects
    try:
        loop.module.to(META)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
    for holder in [*kept, *loop.optimiser.state.values()]:
        tensors = {name: value for name, value in holder.items() if isinstance(value, Tensor) and name != "step"}
        holder.update({name: value.to(META) for name, value in tensors.items()})
    for reader, (holder, name) in zip(read, places_of_read, strict=True):
        reader._known = weakref.ref(holder[name]), holder[name]._version, reader._known[2]
    loop.device = META


def _holders(modules: list[nn.Module], kept: list[dict[str, Tensor]]) -> list[dict[str, Any]]:
    return [*(module._buffers for module in modules), *kept]


def _is_read(reader: object) -> bool:
    return isinstance(reader, ReadOnce) and reader._known is not None
