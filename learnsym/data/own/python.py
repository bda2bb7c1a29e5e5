"""Data that a function of a Python file returns; the file is executed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import torch

from learnsym._python_file import called, executed
from learnsym.data.own.fingerprint import SMALL, fingerprint
from learnsym.data.own.objects import FORMS, found_in
from learnsym.data.own.pools import Found, Pool
from learnsym.parts import tensors_in


def read_python(path: Path, name: str) -> Found:
    """What a function without arguments returns, or what a name of the file stands for.

    Raises:
        ValueError: when the file cannot be executed, has no such function, or the function raises or returns something
            else than data.
    """
    with executed(path, "data") as module:
        if not hasattr(module, name):
            raise ValueError(f"data: {path.name} has no function {name!r}; define def {name}() that returns {FORMS}")
        value = getattr(module, name)
        made = called(value, name, path.name, "data") if callable(value) else value
        found = found_in(made, f"data: {name}() of {path.name}")
    key = fingerprint([path], path.parent, *(_digest(pool) for pool in found.pools.values()))
    return replace(found, fingerprint=key)


def _digest(pool: Pool) -> str:
    """Of all values where they are few: a function may return others when it is called again."""
    digest = hashlib.sha256()
    for tensor in (tensor for _, tensor in tensors_in((pool.x, pool.y))):
        if tensor.numel() * tensor.element_size() <= SMALL:
            digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
