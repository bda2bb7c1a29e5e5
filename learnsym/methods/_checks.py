"""Ranges and choices of settings."""

from __future__ import annotations

from collections.abc import Collection


def at_least(name: str, value: float | int, least: float | int) -> None:
    """Raise ValueError below the least value, with the setting's name."""
    if not value >= least:
        raise ValueError(f"method.{name}: got {value}, must be >= {least}; leave it out for the default")


def positive(name: str, value: float | int) -> None:
    """Raise ValueError unless positive, with the setting's name."""
    if not value > 0:
        raise ValueError(f"method.{name}: got {value}, must be > 0; leave it out for the default")


def average_fits(average: str, loss: str) -> None:
    """Raise ValueError for probabilities of classes under a loss of numbers."""
    if loss == "mse" and average != "outputs":
        raise ValueError(
            f"method.average: got {average!r} with the loss mse, which compares numbers; leave it out, or take outputs"
        )


def one_of(name: str, value: str, known: Collection[str]) -> None:
    """Raise ValueError for a choice that does not exist, with the setting's name."""
    if value not in known:
        raise ValueError(f"method.{name}: got {value!r}, must be one of {', '.join(known)}")
