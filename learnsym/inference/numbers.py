"""Numbers with their unit, as verdicts write them."""

from __future__ import annotations


def measured(value: float, unit: str, with_unit: bool = True) -> str:
    """A half-width in its unit: `31°`, `10 % of the side`, `a factor 1.5`.

    Example:
        >>> measured(31.4, "degree"), measured(0.1, "shortest side"), measured(0.4, "1")
        ('31°', '10% of the side', '0.4')
    """
    if unit == "degree":
        return f"{value:.0f}°" if with_unit else f"{value:.0f}"
    if unit == "shortest side":
        return f"{100 * value:.2g}%{' of the side' if with_unit else ''}"
    return f"{value:.2g}{' log' if unit == 'log' and with_unit else ''}"
