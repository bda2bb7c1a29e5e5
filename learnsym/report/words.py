"""Numbers in plain words, the same on all pages: digits, units, true minus signs, intervals in brackets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from learnsym.degrees import Degree
from learnsym.statistics import Interval

PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A finding and what it rests on."""

    headline: str
    detail: str


def true_minus(text: str) -> str:
    """A number with the sign − in place of a hyphen."""
    return text.replace("-", "−")


def number(value: float, digits: int = 3) -> str:
    """A few significant digits; powers of ten where they are shorter."""
    if math.isinf(value):
        return "∞"
    if value and not 1e-3 <= abs(value) < 1e5:
        leading, exponent = f"{value:.1e}".split("e")
        return true_minus(f"{leading}e{int(exponent)}")
    return f"{value:.0f}" if abs(value) >= 1000 else true_minus(f"{value:.{digits}g}")


def two_digits(value: float | int) -> str:
    """A difference or factor to two digits, without powers of ten."""
    if math.isinf(value):
        return "−∞" if value < 0 else "∞"
    text = f"{value:.0f}" if abs(value) >= 9.95 else f"{value:.1f}" if abs(value) >= 0.95 else f"{value:.2f}"
    return "0" if float(text) == 0 else true_minus(text)


def together(values: Sequence[float]) -> list[str]:
    """Numbers beside each other, such as a difference and its ends: to two digits each, and where all are below 0.095
    to the decimals with which the largest has two digits, so that small ones are not said to be 0."""
    largest = max((abs(value) for value in values), default=0.0)
    if not 0 < largest < 0.095:
        return [two_digits(value) for value in values]
    decimals = 1 - math.floor(math.log10(largest))
    texts = [f"{value:.{decimals}f}" for value in values]
    return ["0" if float(text) == 0 else true_minus(text) for text in texts]


def prefixed(value: float) -> tuple[str, str]:
    """Three digits and the prefix of the unit: `("2.5", "k")`."""
    size, prefix = next(((size, prefix) for size, prefix in PREFIXES if value >= size), (1.0, ""))
    return f"{value / size:.3g}", prefix


def in_unit(value: float, unit: str = "1") -> str:
    """A value in its reporting unit: `61°`, `0.12 shortest side`, `0.3 log`."""
    if unit == "degree":
        return f"{value:.0f}°"
    text = f"{value:.2f}"
    return text if unit == "1" else f"{text} {unit}"


def bracketed(estimate: str, low: str | None, high: str | None) -> str:
    """An estimate with the ends of its interval: `61 [55, 66]`; alone when there is no interval."""
    return estimate if low is None or high is None else f"{estimate} [{low}, {high}]"


def interval(value: Interval | Degree, unit: str = "1") -> str:
    """A value in its reporting unit with its interval: `61° [55, 66]`; a degree with its status unless it is ok."""
    low, high = (
        None if end is None else in_unit(end, unit).removesuffix("°").removesuffix(f" {unit}")
        for end in (value.low, value.high)
    )
    caveat = value.caveat if isinstance(value, Degree) else ""
    return bracketed(in_unit(value.estimate, unit), low, high) + caveat


def quantity(value: Interval, digits: int = 3) -> str:
    """A number without a unit with its interval: `0.31 [0.2, 0.5]`."""
    low, high = value.ends
    return bracketed(number(value.estimate, digits), number(low, digits), number(high, digits))


def percent(estimate: float, low: float | None, high: float | None) -> str:
    """A share with its interval: `97.1% [96.8, 97.4]`."""
    ends = (None if end is None else f"{100 * end:.1f}" for end in (low, high))
    return bracketed(f"{estimate:.1%}", *ends)


def three_digits(estimate: float, low: float | None, high: float | None) -> str:
    """A loss or another plain number with its interval: `0.25 [0.2, 0.3]`."""
    ends = (None if end is None else true_minus(f"{end:.3g}") for end in (low, high))
    return bracketed(true_minus(f"{estimate:.3g}"), *ends)


def tick_labels(values: Sequence[float]) -> list[str]:
    """Numbers on an axis, with as few digits as tell them apart and are true.

    Example:
        >>> from learnsym.report.words import tick_labels
        >>> tick_labels([0.00400, 0.00402, 0.00404]), tick_labels([-5.0, 0.0, 5.0, 1500.0])
        (['0.004', '0.00402', '0.00404'], ['−5', '0', '5', '1500'])
    """
    gap = min((after - before for before, after in pairwise(sorted(values))), default=math.inf)
    allowed = 0.01 * min(gap, max(map(abs, values), default=0.0))
    digits = next((d for d in range(1, 15) if all(abs(float(f"{v:.{d}g}") - v) <= allowed for v in values)), 15)
    return [true_minus(f"{value:.{max(digits, len(f'{abs(value):.0f}'))}g}") for value in values]


def duration(seconds: float) -> str:
    """A time in a unit that suits it."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s"
