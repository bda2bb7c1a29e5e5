"""The batches of a fit from any step on, so that a fit that is resumed sees what an undisturbed one would have seen.

Random numbers are seeded before each batch as a function of `(seed, step)`. What a loader draws from torch's own
generator, such as the order of a shuffled `DataLoader`, is then a function of the step at which its epoch begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from learnsym.data import Batches
from learnsym.parts import tensors_in

Seeding = Callable[[int], None]
"""Seeds torch as for a step."""


def batches(loader: Batches | Iterable[Any], step: int, seeding: Seeding) -> Iterator[Any]:
    """The batches of steps `step`, `step + 1`, ...; an iterable begins anew at its end.

    Lists and plain `DataLoader`s are entered in the middle, with nothing loaded in vain; of other iterables the batches
    before are read and left out.

    Args:
        loader: the batches of a fit from its first step on.
        step: the first one wanted.
        seeding: as the caller does itself before it asks for the batch of a step.

    Raises:
        ValueError: when an iterable gives no batch, as an iterator does that has come to its end.
    """
    if isinstance(loader, Batches):
        while True:
            yield loader[step]
            step += 1
    yield from _rest_of_epoch(loader, step, seeding)
    while True:
        empty = True
        for batch in loader:
            empty = False
            yield batch
        if empty:
            raise ValueError(
                "loader: gave no batch; it must be an iterable that can begin again, such as a list or DataLoader"
            )


def doubt(loader: Batches | Iterable[Any]) -> str:
    """Why a resumed fit may not see the batches of an undisturbed one; empty when nothing speaks against it."""
    if isinstance(loader, Iterator):
        return "it is an iterator, which must give the same batches from the first on; a list or DataLoader begins anew"
    if isinstance(loader, DataLoader) and _own_generator(loader):
        return "it draws from a generator of its own; without one, torch's is seeded by step"
    return ""


def digest(batch: object) -> str:
    """What tells a batch from another: a hash of its tensors."""
    found = hashlib.blake2b(digest_size=16)
    for path, value in tensors_in(batch, "batch"):
        found.update(f"{path} {tuple(value.shape)} {value.dtype}".encode())
        found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _rest_of_epoch(loader: Iterable[Any], step: int, seeding: Seeding) -> Iterator[Any]:
    """The batches from `step` to the end of its epoch; none where an epoch begins with it."""
    length = _length(loader)
    begin = step - step % length if length else 0
    if begin == step:
        return
    if isinstance(loader, list | tuple):
        yield from loader[step - begin :]
    elif type(loader) is DataLoader and loader.batch_sampler is not None:
        seeding(begin)
        yield from _entered(loader, _Entered(loader.batch_sampler, step - begin, lambda: seeding(step)))
    else:
        yield from _read(loader, begin, step, seeding)


def _read(loader: Iterable[Any], at: int, step: int, seeding: Seeding) -> Iterator[Any]:
    """Read the batches `at`, `at + 1`, ..., and give those from `step` to the end of the epoch."""
    while at < step:
        begin = at
        seeding(at)
        for batch in loader:
            if at >= step:
                yield batch
            at += 1
            if at <= step:
                seeding(at)
        if at == begin:  # the caller says so
            return


def _entered(loader: DataLoader[Any], sampler: _Entered) -> DataLoader[Any]:
    """The same loader with other batches, which a DataLoader lets nobody set."""
    entered = object.__new__(DataLoader)
    vars(entered).update(vars(loader), batch_sampler=sampler, _iterator=None)
    return entered


class _Entered:
    """The indices of batches from number `skip` on; before the first of them is loaded, `entering` is called."""

    def __init__(self, sampler: Iterable[list[int]], skip: int, entering: Callable[[], None]) -> None:
        self.sampler, self.skip, self.entering = sampler, skip, entering

    def __iter__(self) -> Iterator[list[int]]:
        for number, indices in enumerate(self.sampler):
            if number == self.skip:
                self.entering()
            if number >= self.skip:
                yield indices


def _length(loader: Iterable[Any]) -> int:
    """Batches of an epoch; 0 where that is not known."""
    try:
        return len(loader)  # pyright: ignore[reportArgumentType]
    except (TypeError, NotImplementedError):
        return 0


def _own_generator(loader: DataLoader[Any]) -> bool:
    samplers = (loader.sampler, loader.batch_sampler, getattr(loader.batch_sampler, "sampler", None))
    return any(getattr(owner, "generator", None) is not None for owner in (loader, *samplers))
