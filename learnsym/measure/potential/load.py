"""A calculator that a function of a file makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from learnsym._python_file import called, executed, reference_of

if TYPE_CHECKING:
    from ase.calculators.calculator import BaseCalculator


def load_calculator(name: str) -> BaseCalculator:
    """What FILE.py:factory makes; the file is executed: give none that you do not trust.

    Raises:
        ValueError: when there is no such file or function, or it makes no calculator of ASE.
    """
    reference = reference_of(name)
    if reference is None:
        raise ValueError(f"model: got 'ase:{name}', must be ase:FILE.py:factory, a function that makes a calculator")
    with executed(reference.path, "model") as module:
        make = getattr(module, reference.name, None)
        if not callable(make):
            raise ValueError(f"model: {reference.path.name} has no function {reference.name!r} that makes a calculator")
        calculator = called(make, reference.name, reference.path.name, "model")
    if not callable(getattr(calculator, "get_property", None)):
        raise ValueError(
            f"model: {reference.name}() of {reference.path.name} returns a {type(calculator).__name__}, must be a "
            "calculator of ASE; return one"
        )
    return calculator  # type: ignore[return-value]
