"""Numbers of a card as text: shares in per cent, each with its unit, digits as the error allows."""

from __future__ import annotations

import math

from learnsym.report.card.row import Row
from learnsym.report.words import bracketed, number, two_digits

LEAST_PERCENT = 0.1
UNITS = {"1": "", "share": "", "p-value": "", "distance between examples": "", "%": "%"}
"""What stands behind a number; other units stand as they are."""


def amount(row: Row) -> str:
    """The number of a row with its interval or its standard error, and its unit."""
    if row.unit == "share":
        return _share(row)
    if row.unit == "%":
        return percent(row.value, row.stderr)
    if row.unit == "p-value":
        return f"p = {row.value:.2g}"
    if row.low is not None and row.high is not None:
        return with_ends(row)
    unit = UNITS.get(row.unit, f" {row.unit}")
    return with_error(row.shown, row.stderr) + unit


def with_ends(row: Row) -> str:
    """How far, with its interval in the same unit: `25° [22, 28]`."""
    assert row.low is not None and row.high is not None
    if row.unit == "1":
        return with_same_decimals(row.value, row.low, row.high)
    return f"{far(row.value, row.unit)} [{bare(row.low, row.unit)}, {bare(row.high, row.unit)}]"


def with_same_decimals(value: float, low: float, high: float) -> str:
    """Two digits of the interval: `2.303 [2.298, 2.308]`."""
    width = high - low
    if not 1e-6 < width < 1e5:
        return bracketed(number(value), number(low), number(high))
    decimals = max(0, 1 - math.floor(math.log10(width)))
    return bracketed(*(f"{each:.{decimals}f}".replace("-", "−") for each in (value, low, high)))


def with_error(value: float, stderr: float | None) -> str:
    """A number with as many decimals as its standard error: `0.121 ± 0.004`."""
    if not stderr or not 1e-3 <= abs(value) < 1e5:
        return number(value, 2)
    decimals = min(6, max(0, -math.floor(math.log10(stderr))))
    return f"{value:.{decimals}f} ± {stderr:.{decimals}f}".replace("-", "−")


def percent(value: float, stderr: float | None = None) -> str:
    """Per cent; what is next to nothing is said to be less than a little."""
    if abs(value) < LEAST_PERCENT / 2:
        return f"< {LEAST_PERCENT}%"
    text = f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"
    return f"{text.replace('-', '−')}%" + ("" if stderr is None else f" ± {max(stderr, 0.1):.1f}")


def far(value: float, unit: str) -> str:
    """How far a generator moves: `25°`, `12% of the shorter side`, `a factor of 1.3`."""
    text = bare(value, unit)
    if unit == "degree":
        return f"{text}°"
    if unit == "shortest side":
        return f"{text}% of the shorter side"
    if unit == "log":
        return f"a factor of {text}"
    return text if unit == "1" else f"{text} {unit}"


def bare(value: float, unit: str) -> str:
    """The same without its unit."""
    if unit == "log":
        return f"{math.exp(value):.2f}"
    return two_digits(100 * value if unit == "shortest side" else value).removesuffix(".0")


def _share(row: Row) -> str:
    if row.low is not None and row.high is not None:
        return bracketed(f"{row.value:.1%}", f"{100 * row.low:.1f}", f"{100 * row.high:.1f}")
    return f"{row.value:.1%}" + ("" if not row.stderr else f" ± {100 * row.stderr:.1f}")
