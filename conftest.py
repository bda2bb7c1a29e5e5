"""Set-up of every test and doctest: seed 0, a compiler without memory, one namespace."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

SLOW = frozenset((Path(__file__).parent / "tests" / "slow.txt").read_text(encoding="utf8").splitlines())
"""Tests that `make test` leaves out, measured (scripts/slow_tests.py); others are marked in their files."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks are set before pytest selects by them."""
    for item in items:
        if item.nodeid in SLOW:
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test starts from the same random state.

    Where there is no GPU, `torch.manual_seed` queues a call with its stack for each kind of device, which takes longer
    than most tests.
    """
    (torch.manual_seed if torch.accelerator.is_available() else torch.default_generator.manual_seed)(0)


@pytest.fixture(autouse=True)
def compiler() -> None:
    """Every test compiles anew: what others compiled would count towards the limit of recompilations."""
    if "torch._dynamo" in sys.modules:
        torch.compiler.reset()


@pytest.fixture(autouse=True)
def doctest_imports(doctest_namespace: dict[str, object]) -> None:
    """Names that a doctest may use without importing them."""
    import learnsym as ls

    doctest_namespace.update(ls=ls, torch=torch, nn=nn)
